import type { Told } from '../api/problem.ts';

export interface Conflict {
  manager: string;
  field: string;
}

/** Who else owns what was to be changed, as a refusal tells it; empty where it is about something else. */
export function conflictsOf({ details }: Told): readonly Conflict[] {
  return (details as { conflicts?: readonly Conflict[] } | null | undefined)?.conflicts ?? [];
}

/** Offers to take from others what they own; the form's `takesOver` says so then. */
export function TakeOver({ conflicts }: { conflicts: readonly Conflict[] }) {
  return (
    <fieldset>
      <legend>Others own what this would change</legend>
      <ul className="lines">
        {conflicts.map(({ manager, field }) => (
          <li key={`${manager} ${field}`}>
            <strong>{manager}</strong> owns <code>{field}</code>
          </li>
        ))}
      </ul>
      <label className="check">
        <input type="checkbox" name="takesOver" /> Take that from them
      </label>
    </fieldset>
  );
}
