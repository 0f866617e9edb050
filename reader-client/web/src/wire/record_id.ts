// How records name each other, as text for maps and lists.

import { create } from '@bufbuild/protobuf';
import { fromHex, toHex } from '../base/bytes.js';
import { RecordIdSchema } from './generated/remora/v1/reference_pb.js';
import type { RecordId } from './generated/remora/v1/reference_pb.js';
import type { Record as CaseRecord } from './generated/remora/v1/record_pb.js';

// "origin/lane/origin_seq".
export type Id = string;

export const idOf = (r: CaseRecord): Id => `${toHex(r.origin)}/${r.lane}/${r.originSeq}`;

export function idFrom(reference: RecordId | undefined): Id | undefined {
  return reference && reference.origin.length === 16
    ? `${toHex(reference.origin)}/${reference.lane}/${reference.originSeq}`
    : undefined;
}

export function toReference(id: Id): RecordId {
  const [origin = '', lane = '0', seq = '0'] = id.split('/');
  return create(RecordIdSchema, { origin: fromHex(origin), lane: Number(lane), originSeq: BigInt(seq) });
}
