import { createContext, useContext } from 'react';

import type { Told } from '../api/problem.ts';

/** What is wrong with the fields of a form, by their names. */
const Faults = createContext<Readonly<Record<string, string>>>({});

export const FaultsOf = Faults.Provider;

export function useFault(name: string | undefined): string | undefined {
  const faults = useContext(Faults);
  return name === undefined ? undefined : faults[name];
}

/** What is wrong with one field, under it. */
export function Fault({ id, text }: { id: string; text: string | undefined }) {
  return text === undefined ? null : (
    <p id={id} className="wrong">
      {text}
    </p>
  );
}

/** The ids of what describes a field. */
export function describedBy(id: string, hint: unknown, fault: string | undefined): string | undefined {
  const ids = [...(hint ? [`${id}-hint`] : []), ...(fault === undefined ? [] : [`${id}-fault`])];
  return ids.length === 0 ? undefined : ids.join(' ');
}

export interface Placed {
  /** By the names of the form's fields. */
  beside: Readonly<Record<string, string>>;
  /** What is told of the form as a whole. */
  told: Told | undefined;
}

export const nothingPlaced: Placed = { beside: {}, told: undefined };

/**
 * Puts what is wrong beside the fields that it is about: that of `recipients.0` at the field `recipients`, where the form
 * has none for the first one alone. What the form has no field for is told as a whole.
 */
export function place(form: HTMLFormElement, told: Told): Placed {
  if (!told.fields) return { beside: {}, told };
  const beside: Record<string, string> = {};
  const others: string[] = [];
  for (const [path, text] of Object.entries(told.fields)) {
    const name = fieldFor(form, path);
    if (name === undefined) others.push(text);
    else beside[name] ??= text;
  }
  const shown =
    Object.keys(beside).length > 0 ? ['Nothing was done: what is wrong stands beside its field.'] : [];
  return { beside, told: { code: told.code, text: [...others, ...shown].join(' ') } };
}

/** Gives the focus to the first field that something is wrong with, and shows it where it is behind a summary. */
export function focusFirstFaulty(form: HTMLFormElement | null): void {
  const faulty = form?.querySelector<HTMLElement>('[aria-invalid="true"]');
  faulty?.closest('details')?.setAttribute('open', '');
  faulty?.focus();
}

function fieldFor(form: HTMLFormElement, path: string): string | undefined {
  const parts = path.split('.');
  for (let length = parts.length; length > 0; length -= 1) {
    const name = parts.slice(0, length).join('.');
    const own = `[name="${CSS.escape(name)}"]`;
    // Those of the parts that show it: a bare checkbox does not.
    if (form.querySelector(`.field ${own}, .group${own}`)) return name;
  }
  return undefined;
}
