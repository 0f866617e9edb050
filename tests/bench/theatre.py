"""A theatre with everything on: 64 channels at 20 kHz, every modality. Its scenario for the simulator, its plan and its
montage, as text."""

SCALP = ["FPz", "Fz", "Cz", "CPz", "CP3", "CP4", "F3", "F4", "P3", "P4", "O1", "O2", "Oz", "A1", "A2", "Cv5"]
NERVES = ["Erb L", "Erb R", "PF L", "PF R"]
CORD = ["DW rostral", "DW caudal"]
STRIP = [f"G{n}" for n in range(1, 9)]
LARYNX = ["Vocalis L", "Vocalis R"]
MUSCLES = [f"{name} {side}" for name in ("Deltoid", "Biceps", "Triceps", "APB", "ADM", "Masseter", "OOr", "T10",
                                         "Iliopsoas", "Quadriceps", "TA", "EHL", "Hamstrings", "GC", "AH", "Adductor")
           for side in "LR"]
CHANNELS = SCALP + NERVES + CORD + STRIP + LARYNX + MUSCLES
assert len(CHANNELS) == 64

SCENARIO = f"""title Everything on
rate 20000 Hz
channels {", ".join(CHANNELS)}
stimulate median both at 3.1 Hz 25 mA
stimulate tibial both at 3.1 Hz 40 mA
stimulate baep left at 11.1 Hz
stimulate vep left at 1.1 Hz
stimulate mep C3-C4 every 20 s 400 V
stimulate dwave every 40 s 500 V sweeps 8
stimulate tof left hand every 30 s 40 mA
stimulate rln left every 10 s 1 mA
stimulate dcs G5 arm right every 30 s 12 mA
screw L4 left threshold 9 mA
strip left
eeg 8 uV alpha 6 uV delta 8 uV
vitals map 85 hr 70 temperature 36.4 bis 45
impedance 3 kOhm
at 10 s every 40 s: emg train TA L 110 Hz 150 uV for 2 s
at 20 s every 60 s: test screw L4 left from 6 mA to 12 mA step 1 mA each 500 ms
at 50 s every 60 s: diathermy 5 mV for 2 s
"""


def _evoked(modality, side, derivation, label, sweeps, first, second, more=""):
    components = "".join(
        f'  component {{ label: "{name}" polarity: POLARITY_{sign} window_from_ms: {low} window_to_ms: {high} '
        f"expected_ms: {at} }}\n" for name, sign, low, at, high in (first, second))
    return (f"evoked {{ modality: MODALITY_{modality} side: SIDE_{side} derivation: \"{derivation}\"\n"
            f'  trigger {{ label_prefix: "{label}" }} stimulus {{ site: "{label}" }} sweep_count: {sweeps} {more}\n'
            f"  baseline {{ first_averages_count: 1 }}\n{components}}}\n")


def plan():
    n20 = ("N20", "NEGATIVE", 16, 19.5, 25), ("P25", "POSITIVE", 19, 24, 34)
    n13 = ("N13", "NEGATIVE", 11, 13.2, 17), ("P14", "POSITIVE", 13, 15.5, 22)
    n9 = ("N9", "NEGATIVE", 7, 9.5, 13), ("P11", "POSITIVE", 9, 11.5, 18)
    p37 = ("P37", "POSITIVE", 32, 38, 46), ("N45", "NEGATIVE", 38, 46, 60)
    p31 = ("P31", "POSITIVE", 26, 31, 36), ("N34", "NEGATIVE", 30, 35, 44)
    pf = ("PF", "NEGATIVE", 6, 8.5, 13), ("PFp", "POSITIVE", 8, 11, 20)
    wave_v = ("V", "POSITIVE", 5.5, 6.7, 8), ("Vn", "NEGATIVE", 6, 7.4, 10)
    n75 = ("N75", "NEGATIVE", 60, 75, 95), ("P100", "POSITIVE", 85, 100, 130)
    d_wave = ("D", "NEGATIVE", 2.5, 5, 9), ("Dp", "POSITIVE", 4, 7, 14)
    text = ['procedure: "Everything on"\nmontage_file: "theatre.montage"\nmains_hz: 50\n']
    for side, scalp in (("LEFT", "CP4-Fz"), ("RIGHT", "CP3-Fz")):
        s = side[0]
        text += [_evoked("SEP_UPPER", side, scalp, f"MED {s}", 60, *n20), _evoked("SEP_UPPER", side, "Cv5-Fz", f"MED {s}", 60, *n13),
                 _evoked("SEP_UPPER", side, f"Erb {s}", f"MED {s}", 60, *n9),
                 _evoked("SEP_LOWER", side, "CPz-FPz", f"TIB {s}", 60, *p37),
                 _evoked("SEP_LOWER", side, "Cv5-FPz", f"TIB {s}", 60, *p31), _evoked("SEP_LOWER", side, f"PF {s}", f"TIB {s}", 60, *pf)]
    text += [_evoked("BAEP", "LEFT", "A1-Cz", "BAEP L", 400, *wave_v), _evoked("VEP", "LEFT", "Oz-Fz", "VEP L", 50, *n75)]
    text += [_evoked("D_WAVE", "LEFT", place, "DWAVE", 8, *d_wave) for place in CORD]

    def motor(modality, label, muscles, more=""):
        listed = " ".join(f'muscle {{ derivation: "{m}" side: SIDE_{"LEFT" if m.endswith("L") else "RIGHT"} }}' for m in muscles)
        return f'motor {{ modality: MODALITY_{modality} trigger {{ label_prefix: "{label}" }} stimulus {{ site: "{label}" }} {more} {listed} }}\n'

    text += [motor("MEP_TRANSCRANIAL", "MEP C3-C4", MUSCLES), motor("MEP_DIRECT_CORTICAL", "DCS G5", MUSCLES[:10]),
             motor("PEDICLE_SCREW", "SCREW", MUSCLES[18:], "threshold { step: 1 maximum: 30 }"),
             motor("RLN_INTERMITTENT", "RLN L", LARYNX[:1])]
    text += [f'emg {{ derivation: "{m}" side: SIDE_{"LEFT" if m.endswith("L") else "RIGHT"} }}\n' for m in MUSCLES + LARYNX]
    text += [f'eeg {{ derivation: "{a}-{b}" side: SIDE_{s} }}\n'
             for a, b, s in (("F3", "P3", "LEFT"), ("F4", "P4", "RIGHT"), ("P3", "O1", "LEFT"), ("P4", "O2", "RIGHT"))]
    text += [f'eeg {{ modality: MODALITY_ECOG derivation: "{g}" side: SIDE_LEFT }}\n' for g in STRIP]
    text += ['train_of_four { derivation: "ADM L" side: SIDE_LEFT limb: "left hand" trigger { label_prefix: "TOF L" } '
             'stimulus { site: "ulnar nerve" } }\n',
             'mapping { modality: MODALITY_MAP_CORTICAL_PHASE_REVERSAL strip: "strip" side: SIDE_RIGHT trigger { label_prefix: "MED R" } '
             'stimulus { site: "median nerve" } ' + " ".join(f'contact_derivation: "{g}"' for g in STRIP) + " }\n"]
    return "".join(text)


def montage():
    pairs = ["CP4-Fz", "CP3-Fz", "CPz-FPz", "Cv5-Fz", "Cv5-FPz", "A1-Cz", "Oz-Fz", "F3-P3", "F4-P4", "P3-O1", "P4-O2"]
    lines = ['name: "Everything on"']
    lines += [f'derivation {{ name: "{p}" plus: "{p.split("-")[0]}" minus: "{p.split("-")[1]}" }}' for p in pairs]
    lines += [f'derivation {{ name: "{c}" plus: "{c}" }}' for c in NERVES + CORD + STRIP + LARYNX + MUSCLES]
    return "\n".join(lines) + "\n"


def write(folder):
    """theatre.scenario, theatre.plan and theatre.montage."""
    for name, text in (("scenario", SCENARIO), ("plan", plan()), ("montage", montage())):
        with open(f"{folder}/theatre.{name}", "w", encoding="utf-8") as f:
            f.write(text)
