import type { Told } from '../api/problem.ts';

/** What went wrong and what to do about it, told at once to whoever listens. */
export function Problem({ told, retry }: { told: Told | undefined; retry?: () => void }) {
  return (
    <div role="alert" className={told ? 'problem' : undefined}>
      {told && <p>{told.text}</p>}
      {told && retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}
