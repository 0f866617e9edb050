import { describe, expect, it } from 'vitest';
import { Role } from './generated/remora/v1/case_pb.js';
import { identityOf } from './identity.js';

describe('Who somebody is', () => {
  it('IsWhatTheHubSaysInSmallLetters', () => {
    const role = (told: string) => identityOf({ name: 'n', displayName: 'N', role: told }).role;
    expect(['technologist', 'neurophysiologist', 'centre', 'surgical_team', 'agent'].map(role))
      .toEqual([Role.TECHNOLOGIST, Role.NEUROPHYSIOLOGIST, Role.CENTRE, Role.SURGICAL_TEAM, Role.AGENT]);
  });
  it('HostileRolesMayDoNothing', () => {
    const role = (told: string) => identityOf({ name: 'n', displayName: 'N', role: told }).role;
    expect(['', '2', 'king', 'toString'].map(role)).toEqual(Array(4).fill(Role.UNSPECIFIED));
  });
});
