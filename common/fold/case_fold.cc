#include "common/fold/case_fold.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/fold/readers.h"
#include "common/record_codec.h"

namespace remora {
namespace {

RecordKey KeyOf(const v1::Record& record) {
  return {OriginId::FromBytes(record.origin()), record.lane(), record.origin_seq()};
}

std::string IdText(const RecordKey& key) {
  return absl::StrCat(key.origin.Hex(), "/", key.lane, "/", key.origin_seq);
}

// Separates parts of a key; no name contains it.
constexpr char kSeparator[] = "\x1f";
// Ends the key of an activity that stands beside others.
constexpr char kBeside[] = "\x1f+";

std::string TimerKey(const std::string& timer, int64_t deadline_unix_ns) {
  return absl::StrCat(timer, kSeparator, deadline_unix_ns);
}

// Derived values live as long as the record on the shelf that they come from.
template <typename Map>
void KeepOnly(const RecordShelf& shelf, Map* derived) {
  if (derived->size() <= shelf.size()) return;
  std::erase_if(*derived, [&shelf](const auto& entry) { return !shelf.HasKey(entry.first); });
}

// How much attention a state asks for.
int Severity(v1::MeasurementState state) {
  switch (state) {
    case v1::MEASUREMENT_STATE_NO_RESPONSE:
    case v1::MEASUREMENT_STATE_RED:
      return 5;
    case v1::MEASUREMENT_STATE_AMBER:
      return 4;
    case v1::MEASUREMENT_STATE_NOT_INTERPRETABLE:
      return 3;
    case v1::MEASUREMENT_STATE_NO_BASELINE:
      return 2;
    case v1::MEASUREMENT_STATE_WITHIN_LIMITS:
      return 1;
    default:
      return 0;
  }
}

// Relations are between evoked entries, which are listed themselves.
std::vector<v1::Modality> ModalitiesOf(const v1::Plan& plan) {
  std::vector<v1::Modality> modalities;
  for (const v1::EvokedPlan& evoked : plan.evoked()) modalities.push_back(evoked.modality());
  if (plan.emg_size() > 0) modalities.push_back(v1::MODALITY_EMG_FREE_RUNNING);
  for (const v1::MotorPlan& motor : plan.motor()) modalities.push_back(motor.modality());
  for (const v1::EegPlan& eeg : plan.eeg()) {
    const bool named = eeg.modality() != v1::MODALITY_UNSPECIFIED;
    modalities.push_back(named ? eeg.modality() : v1::MODALITY_EEG);
  }
  if (plan.train_of_four_size() > 0) modalities.push_back(v1::MODALITY_TRAIN_OF_FOUR);
  for (const v1::MappingPlan& mapping : plan.mapping()) modalities.push_back(mapping.modality());
  return modalities;
}

// A train that has a name stands beside the discharges that it is made of; that all muscles are
// active, beside those of each. Both may begin with them.
bool StandsBeside(const v1::EmgActivity& activity) {
  return activity.train_pattern() != v1::TRAIN_PATTERN_UNSPECIFIED ||
         activity.artefact_class() == v1::ARTEFACT_CLASS_SHIVERING;
}

// The modality of what a plan lists and what comes with no state of its own; else UNSPECIFIED.
v1::Modality StatelessModality(const v1::Record& record) {
  switch (record.body_case()) {
    case v1::Record::kTrainOfFour:
      return v1::MODALITY_TRAIN_OF_FOUR;
    case v1::Record::kStimulusThreshold:
      return record.stimulus_threshold().modality();
    case v1::Record::kSpectralEdge:
      return record.spectral_edge().modality();
    case v1::Record::kMappingContact:
      return record.mapping_contact().modality();
    case v1::Record::kMappingResult:
      return record.mapping_result().modality();
    default:
      return v1::MODALITY_UNSPECIFIED;
  }
}

v1::MeasurementState WorseOf(v1::MeasurementState a, v1::MeasurementState b) {
  return Severity(b) > Severity(a) ? b : a;
}

}  // namespace

void CaseFold::Apply(const FoldedRecord& folded) {
  if (folded.lane >= kControlLaneCount || folded.seq <= seq_) return;
  v1::Record record;
  const absl::string_view bytes = folded.bytes.view();
  seq_ = folded.seq;
  last_recorded_unix_ns_ = folded.recorded_unix_ns;
  if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  const RecordKey key = KeyOf(record);
  switch (folded.lane) {
    case 0:
      ApplyAlertLane(record, key, folded);
      break;
    case 1:
      ApplyEvent(record, key, folded);
      break;
    default:
      ApplyMeasurement(record, folded);
      break;
  }
}

void CaseFold::ApplyAlertLane(const v1::Record& record, const RecordKey& key,
                              const FoldedRecord& folded) {
  const StampedBytes& bytes = folded.bytes;
  switch (record.body_case()) {
    case v1::Record::kAlert:
      alerts_.ApplyAlert(key, record.alert(), folded.seq, MadeAtOf(record, folded.recorded_unix_ns),
                         bytes);
      break;
    case v1::Record::kAlertAction:
      alerts_.ApplyAction(key, record.alert_action(), folded.seq, bytes);
      break;
    case v1::Record::kMessage:
      messages_.Put(folded.seq, "", bytes);
      last_message_ = record.message().text();
      last_message_sender_ = record.message().sender();
      break;
    case v1::Record::kMessageReceipt: {
      const v1::MessageReceipt& receipt = record.message_receipt();
      receipts_.Put(folded.seq,
                    absl::StrCat(receipt.message().SerializeAsString(), kSeparator,
                                 receipt.recipient(), kSeparator, receipt.kind()),
                    bytes);
      break;
    }
    case v1::Record::kLinkState:
      ApplyLinkState(record.link_state(), key, folded);
      break;
    default:
      ApplyResponse(record, folded);
      break;
  }
}

void CaseFold::PutInterval(RecordShelf* shelf, const std::string& id, const FoldedRecord& folded) {
  if (shelf->size() >= kMaxIntervals || shelf->bytes() + folded.bytes.cost() > kMaxIntervalBytes) {
    for (const auto& [seq, entry] : shelf->records()) {
      if (!backlog_reviews_.HasKey(entry.key)) continue;
      shelf->Drop(std::string(entry.key));
      break;
    }
  }
  const size_t after = shelf->size() + 1;
  shelf->Put(folded.seq, id, folded.bytes);
  intervals_forgotten_ += after - shelf->size();
}

void CaseFold::ApplyLinkState(const v1::LinkState& link, const RecordKey& key,
                              const FoldedRecord& folded) {
  if (link.condition() == v1::LINK_CONDITION_LIVE && link.outage_ms() > 0) {
    const bool asks =
        !link.own_view() && !IsOfReadersLink(link) && link.outage_ms() >= kReviewedOutageMs;
    if (asks) {
      PutInterval(&outages_, IdText(key), folded);
    } else {
      blinks_.Put(folded.seq, IdText(key), folded.bytes);
    }
  }
  // What a participant says of the hub says nothing of its own link.
  if (link.own_view()) return;
  links_[link.participant()] = link.condition();
  if (!IsOfReadersLink(link)) agent_ = link.participant();
  link_states_.Put(folded.seq, link.participant(), folded.bytes);
  KeepOnly(link_states_, &links_);
}

void CaseFold::ApplyEvent(const v1::Record& record, const RecordKey& key,
                          const FoldedRecord& folded) {
  const StampedBytes& bytes = folded.bytes;
  switch (record.body_case()) {
    case v1::Record::kCaseLifecycle: {
      const v1::CaseLifecycle& step = record.case_lifecycle();
      const v1::CaseStage before = life_.stage;
      TakeTransition(step, &life_);
      if (!step.procedure().empty()) procedure_ = step.procedure();
      if (life_.stage == v1::CASE_STAGE_OPEN && before != v1::CASE_STAGE_OPEN &&
          opened_unix_ns_ == 0) {
        opened_unix_ns_ = folded.recorded_unix_ns;
      }
      lifecycle_.Put(folded.seq, "", bytes);
      break;
    }
    case v1::Record::kCasePlanSet:
      plan_.Put(folded.seq, "", bytes);
      planned_ = ModalitiesOf(record.case_plan_set().plan());
      std::erase_if(heard_unix_ns_, [this](const auto& heard) { return !IsPlanned(heard.first); });
      if (procedure_.empty()) procedure_ = record.case_plan_set().plan().procedure();
      break;
    case v1::Record::kPhaseChange:
      phase_ = record.phase_change().phase();
      phase_unix_ns_ = clocks_.HubUnixNs(MadeAtOf(record, folded.recorded_unix_ns));
      phases_.Put(folded.seq, "", bytes);
      break;
    case v1::Record::kBaselineSet:
      baselines_.Put(folded.seq, "", bytes);
      break;
    case v1::Record::kAnnotation:
    case v1::Record::kSourceNote:
      annotations_.Put(folded.seq, "", bytes);
      break;
    case v1::Record::kPresence:
      ApplyPresence(record.presence());
      break;
    case v1::Record::kDataGap:
      gaps_.Put(folded.seq, "", bytes);
      break;
    case v1::Record::kClockEstimate:
      clock_estimates_.Put(folded.seq, key.origin.Hex(), bytes);
      clocks_.Put(key.origin, record.clock_estimate());
      clocks_.KeepOnly(clock_estimates_);
      break;
    case v1::Record::kUnrecordedInterval:
      PutInterval(&unrecorded_intervals_, IdText(key), folded);
      break;
    case v1::Record::kBacklogReviewed:
      backlog_reviews_.Put(folded.seq, IdText(FromProto(record.backlog_reviewed().interval())),
                           bytes);
      break;
    case v1::Record::kViewSeen:
      views_seen_.Put(folded.seq,
                      absl::StrCat(key.origin.Hex(), kSeparator, record.view_seen().screen_id()),
                      bytes);
      break;
    case v1::Record::kTimerFired: {
      const v1::TimerFired& fired = record.timer_fired();
      const std::string timer = TimerKey(fired.timer(), fired.deadline_unix_ns());
      if (!timers_.HasKey(timer)) timers_.Put(folded.seq, timer, bytes);
      break;
    }
    default:
      if (!ApplyResponse(record, folded)) ApplySeal(record, folded);
      break;
  }
}

void CaseFold::ApplySeal(const v1::Record& record, const FoldedRecord& folded) {
  const StampedBytes& bytes = folded.bytes;
  switch (record.body_case()) {
    case v1::Record::kPublisherTotal:
      publisher_totals_.Put(folded.seq, record.origin(), bytes);
      break;
    case v1::Record::kCertificate:
      certificate_ = record.certificate();
      certificates_.Put(folded.seq, "", bytes);
      break;
    case v1::Record::kSignedHead:
      signed_head_ = record.signed_head();
      signed_heads_.Put(folded.seq, "", bytes);
      break;
    default:
      break;
  }
}

// What the newest certificate says, for the tile.
void CaseFold::FillCertificate(v1::CaseSummary* summary) const {
  if (certificate_.certificate_index() == 0) return;
  v1::CertificateSummary& out = *summary->mutable_certificate();
  out.set_certificate_index(certificate_.certificate_index());
  out.set_complete(certificate_.complete());
  uint64_t missing = 0;
  uint64_t given_up = 0;
  uint64_t refused = 0;
  for (const v1::OriginLaneHead& head : certificate_.heads()) {
    for (const v1::NamedGap& gap : head.gaps()) {
      uint64_t& count = gap.cause() == v1::NAMED_GAP_CAUSE_DATA_GAP  ? given_up
                        : gap.cause() == v1::NAMED_GAP_CAUSE_REFUSED ? refused
                                                                     : missing;
      count += gap.last_origin_seq() - gap.first_origin_seq() + 1;
    }
  }
  out.set_missing_count(missing);
  out.set_given_up_count(given_up);
  out.set_refused_count(refused);
}

void CaseFold::ApplyMeasurement(const v1::Record& record, const FoldedRecord& folded) {
  const StampedBytes& bytes = folded.bytes;
  const MadeAt made = MadeAtOf(record, folded.recorded_unix_ns);
  if (record.has_measurement()) {
    const v1::Measurement& measurement = record.measurement();
    const std::string trace =
        absl::StrCat(measurement.trace_id(), kSeparator, measurement.component());
    trends_.Add(measurement, folded.seq, clocks_.HubUnixNs(made));
    measurements_.Put(folded.seq, trace, bytes);
    trace_states_[trace] = {measurement.modality(), measurement.state(), made};
    heard_unix_ns_.erase(measurement.modality());
    KeepOnly(measurements_, &trace_states_);
  } else if (record.has_emg_activity()) {
    const v1::EmgActivity& activity = record.emg_activity();
    const std::string key =
        absl::StrCat(activity.trace_id(), kSeparator, activity.started_monotonic_ns(),
                     StandsBeside(activity) ? kBeside : "");
    activities_.Put(folded.seq, key, bytes);
    // A train asks for a look while it lasts; whether it is an alert, its criterion says.
    const bool train = activity.kind() == v1::EMG_ACTIVITY_KIND_TRAIN && activity.ongoing();
    activity_states_[key] = {
        v1::MODALITY_EMG_FREE_RUNNING,
        train ? v1::MEASUREMENT_STATE_AMBER : v1::MEASUREMENT_STATE_WITHIN_LIMITS, made};
    KeepOnly(activities_, &activity_states_);
    heard_unix_ns_.erase(v1::MODALITY_EMG_FREE_RUNNING);
  } else if (const v1::Modality modality = StatelessModality(record);
             IsPlanned(modality) && !HasState(modality)) {
    int64_t& heard = heard_unix_ns_[modality];
    heard = std::max(heard, clocks_.HubUnixNs(made));
  }
}

bool CaseFold::IsPlanned(v1::Modality modality) const {
  return std::find(planned_.begin(), planned_.end(), modality) != planned_.end();
}

bool CaseFold::HasState(v1::Modality modality) const {
  const auto is_of = [modality](const auto& entry) { return entry.second.modality == modality; };
  return std::any_of(trace_states_.begin(), trace_states_.end(), is_of) ||
         std::any_of(activity_states_.begin(), activity_states_.end(), is_of);
}

void CaseFold::ApplyPresence(const v1::Presence& presence) {
  auto it = participants_.find(presence.participant());
  if (it == participants_.end()) {
    if (participants_.size() >= kMaxParticipants) {
      // One that has left makes room; while all are here, the newcomer is not listed.
      const auto leaving = std::find_if(participants_.begin(), participants_.end(),
                                        [](const auto& p) { return !p.second.connected; });
      if (leaving == participants_.end()) return;
      participants_.erase(leaving);
    }
    it = participants_.emplace(presence.participant(), Participant()).first;
  }
  it->second.display_name = presence.display_name();
  it->second.role = presence.role();
  it->second.connected = presence.change() == v1::PRESENCE_CHANGE_JOINED;
}

bool CaseFold::HasTimerFired(const std::string& timer, int64_t deadline_unix_ns) const {
  return timers_.HasKey(TimerKey(timer, deadline_unix_ns));
}

v1::LinkCondition CaseFold::LinkOf(const std::string& participant) const {
  auto it = links_.find(participant);
  return it == links_.end() ? v1::LINK_CONDITION_UNSPECIFIED : it->second;
}

std::vector<v1::ParticipantSummary> CaseFold::Participants() const {
  std::vector<v1::ParticipantSummary> list;
  for (const auto& [name, participant] : participants_) {
    v1::ParticipantSummary& summary = list.emplace_back();
    summary.set_participant(name);
    summary.set_display_name(participant.display_name);
    summary.set_role(participant.role);
    summary.set_connected(participant.connected);
    const v1::LinkCondition link = LinkOf(name);
    if (ReadsCases(participant.role) && link >= v1::LINK_CONDITION_LOST) summary.set_link(link);
  }
  return list;
}

void CaseFold::FillModalities(v1::CaseSummary* summary) const {
  std::map<v1::Modality, v1::ModalitySummary> modalities;
  for (const v1::Modality planned : planned_) modalities[planned];
  for (const auto& [kind, unix_ns] : heard_unix_ns_) modalities[kind].set_last_unix_ns(unix_ns);
  for (const auto* states : {&trace_states_, &activity_states_}) {
    for (const auto& [trace, state] : *states) {
      v1::ModalitySummary& modality = modalities[state.modality];
      modality.set_worst_state(WorseOf(modality.worst_state(), state.state));
      modality.set_last_unix_ns(
          std::max<int64_t>(modality.last_unix_ns(), clocks_.HubUnixNs(state.made)));
    }
  }
  for (auto& [kind, modality] : modalities) {
    modality.set_modality(kind);
    *summary->add_modalities() = std::move(modality);
  }
}

uint32_t CaseFold::CountUnreviewed() const {
  uint32_t count = 0;
  for (const RecordShelf* shelf : {&outages_, &unrecorded_intervals_}) {
    for (const auto& [seq, entry] : shelf->records()) {
      count += !backlog_reviews_.HasKey(entry.key);
    }
  }
  return count;
}

v1::CaseSummary CaseFold::Summary() const {
  v1::CaseSummary summary;
  summary.set_case_id(case_id_.ToString());
  summary.set_stage(life_.stage);
  summary.set_theatre(life_.theatre);
  summary.set_procedure(procedure_);
  summary.set_phase(phase_);
  summary.set_head_seq(seq_);
  summary.set_opened_unix_ns(opened_unix_ns_);
  summary.set_phase_unix_ns(phase_unix_ns_);
  summary.set_last_record_unix_ns(last_recorded_unix_ns_);
  for (v1::ParticipantSummary& participant : Participants()) {
    *summary.add_participants() = std::move(participant);
  }
  FillModalities(&summary);
  const AlertBoard::Counts alerts = alerts_.Count(clocks_);
  summary.set_open_alert_count(alerts.open);
  summary.set_unacknowledged_alert_count(alerts.unacknowledged);
  summary.set_worst_priority(alerts.worst.priority);
  summary.set_worst_alert(alerts.worst.summary);
  summary.set_worst_alert_unix_ns(alerts.worst.called_unix_ns);
  summary.set_calling_priority(alerts.calling.priority);
  summary.set_calling_alert(alerts.calling.summary);
  summary.set_calling_alert_unix_ns(alerts.calling.called_unix_ns);
  summary.set_last_message(last_message_);
  summary.set_last_message_sender(last_message_sender_);
  summary.set_agent_link(LinkOf(agent_));
  summary.set_unreviewed_interval_count(CountUnreviewed());
  for (float percent : trends_.WorstOfLastHour(last_recorded_unix_ns_)) {
    summary.add_worst_amplitude_percent(percent);
  }
  FillCertificate(&summary);
  return summary;
}

}  // namespace remora
