// Who this page is. A token is given to the hub once and becomes a cookie that scripts cannot read.

import { Role } from './generated/remora/v1/case_pb.js';

export interface Identity {
  name: string;
  displayName: string;
  role: Role;
}

// As the hub tells it: the role in small letters ("surgical_team"). A role that is not known may do nothing here.
export function identityOf(told: { name: string; displayName: string; role: string }): Identity {
  const role: unknown = Role[told.role.toUpperCase() as keyof typeof Role];
  return { ...told, role: typeof role === 'number' ? role : Role.UNSPECIFIED };
}

export class SignInError extends Error {}

// Takes the token out of the address, so that it stays in no history.
export function takeFragment(location: Location, history: History):
    { token: string; identity: string } | undefined {
  const fields = new URLSearchParams(location.hash.replace(/^#/, ''));
  const token = fields.get('token');
  const identity = fields.get('identity') ?? '';
  if (token === null && !fields.has('identity')) return undefined;
  fields.delete('token');
  fields.delete('identity');
  const rest = fields.toString();
  history.replaceState(null, '', location.pathname + location.search + (rest ? `#${rest}` : ''));
  return { token: token ?? '', identity };
}

export async function signIn(token: string): Promise<Identity> {
  const answer = await fetch('/v1/session', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    credentials: 'same-origin',
    body: JSON.stringify({ token }),
  });
  if (answer.status === 401 || answer.status === 403) {
    throw new SignInError('The hub does not know this token.');
  }
  if (!answer.ok) throw new SignInError(`The hub answered ${answer.status}. Please try again.`);
  return identityOf(await answer.json() as Parameters<typeof identityOf>[0]);
}

// Undefined: not signed in. Throws where the hub cannot be reached.
export async function whoAmI(name: string): Promise<Identity | undefined> {
  const answer = await fetch(`/v1/session?identity=${encodeURIComponent(name)}`,
    { credentials: 'same-origin' });
  if (answer.status === 401 || answer.status === 403 || answer.status === 404) return undefined;
  if (!answer.ok) throw new SignInError(`The hub answered ${answer.status}.`);
  return identityOf(await answer.json() as Parameters<typeof identityOf>[0]);
}

export function streamUrl(location: Location, name: string): string {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  return `${scheme}://${location.host}/v1/stream?identity=${encodeURIComponent(name)}`;
}
