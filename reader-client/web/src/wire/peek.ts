// Reads a record's lane without decoding the rest.

// Returns -1 where the bytes are no record with a lane in its header. A lane of 0 is not encoded:
// then the first field over 3 tells that it is 0.
export function peekLane(bytes: Uint8Array): number {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const b = bytes[at++];
      if (b === undefined) return NaN;
      value += (b & 0x7f) * scale;
      if (b < 0x80) return value;
      scale *= 128;
    }
    return NaN;
  };
  while (at < bytes.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    const type = tag % 8;
    if (field === 3 && type === 0) {
      const lane = varint();
      return lane <= 5 ? lane : -1;
    }
    if (field > 3) return 0;
    if (type === 0) varint();
    else if (type === 1) at += 8;
    else if (type === 5) at += 4;
    else if (type === 2) {
      const length = varint();
      at += length;
    }
    else return -1;
    if (!Number.isFinite(at)) return -1;
  }
  return -1;
}
