// Who are you? Shown when neither the address nor a cookie says it.

import { useSignal } from '@preact/signals';
import { signIn, SignInError } from '../wire/identity.js';
import type { Identity } from '../wire/identity.js';

export function SignIn({ where, trouble, onSignedIn }:
    { where: string; trouble: string | undefined; onSignedIn: (identity: Identity) => void }) {
  const token = useSignal('');
  const busy = useSignal(false);
  const problem = useSignal(trouble);
  const submit = async () => {
    busy.value = true;
    problem.value = undefined;
    try {
      onSignedIn(await signIn(token.value.trim()));
    } catch (error) {
      problem.value = error instanceof SignInError ? error.message
        : 'The hub does not answer. Is it running, and is this its address?';
    }
    busy.value = false;
  };
  return (
    <main class="sign-in">
      <form onSubmit={(e) => {
        e.preventDefault();
        void submit();
      }}>
        <h1>Remora</h1>
        <p>{where}. Sign in with the token that your hub was given for you.</p>
        <label>
          <span>Token</span>
          <input type="password" autocomplete="current-password" value={token.value} spellcheck={false}
            onInput={(e) => (token.value = e.currentTarget.value)} />
        </label>
        <button type="submit" class="primary" disabled={busy.value || token.value.trim() === ''}>
          {busy.value ? 'Asking the hub\u2026' : 'Sign in'}
        </button>
        {problem.value && <p class="refused" role="alert">{problem.value}</p>}
        <p class="calm">Remora is not a cleared medical device. It adds to the monitoring in theatre and replaces nothing of it.</p>
      </form>
    </main>
  );
}
