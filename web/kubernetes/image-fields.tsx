import { Field, LongField } from '../parts/field.tsx';
import { textOf, wordsIn } from '../parts/form.ts';

/** What is run, and how often. */
export function ImageFields({ image, replicas = 1 }: { image?: string; replicas?: number }) {
  return (
    <>
      <Field label="Image" name="image" required hint="With its tag or digest." defaultValue={image} />
      <Field
        label="Replicas"
        name="replicas"
        type="number"
        min={0}
        max={1000}
        required
        defaultValue={replicas}
      />
    </>
  );
}

/** What the image is given to work with. */
export function VariablesField({ isChange = false }: { isChange?: boolean }) {
  const rest = isChange
    ? 'What is kept is not shown: left empty it stays, and what is filled in takes the place of all of it.'
    : 'They are kept sealed and never shown again.';
  return (
    <LongField
      label="Environment variables"
      name="env"
      autoComplete="off"
      spellCheck={false}
      hint={`NAME=value, one a line, at most 100. ${rest}`}
    />
  );
}

/** All that were filled in; undefined where none was. */
export function variablesOf(form: FormData): Record<string, string> | undefined {
  const lines = textOf(form, 'env')
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.length === 0 ? undefined : Object.fromEntries(lines.map(variableOf));
}

function variableOf(line: string): [name: string, value: string] {
  const at = line.indexOf('=');
  if (at === -1) throw new Error(`a variable is written as NAME=value, and there is: ${line.trim()}`);
  return [line.slice(0, at).trim(), line.slice(at + 1).replace(/\r$/, '')];
}

export function PortsField() {
  return (
    <Field
      label="Ports"
      name="ports"
      pattern="\s*[0-9]+(\s*,\s*[0-9]+)*\s*"
      hint="TCP ports of the container, separated by commas, at most 20."
    />
  );
}

export const portsOf = (form: FormData): number[] => wordsIn(textOf(form, 'ports')).map(Number);
