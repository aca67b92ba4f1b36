import { Field, FieldGroup, LongField } from '../parts/field.tsx';
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
export function VariablesField() {
  return (
    <LinesOfVariables
      name="env"
      hint="NAME=value, one a line, at most 100. They are kept sealed and never shown again."
    />
  );
}

/** Some of the variables are set or taken away: nobody could send the values of the others once more. */
export function VariablesChange({ names }: { names: readonly string[] }) {
  return (
    <>
      {names.length > 0 && (
        <FieldGroup legend="Variables that it has" name="removeEnv">
          {names.map((name) => (
            <label className="check" key={name}>
              <input type="checkbox" name="removeEnv" value={name} /> Take away {name}
            </label>
          ))}
        </FieldGroup>
      )}
      <LinesOfVariables
        name="setEnv"
        hint="NAME=value, one a line: these are set, the others stay. At most 100 with those, kept sealed and never shown again."
      />
    </>
  );
}

function LinesOfVariables({ name, hint }: { name: string; hint: string }) {
  return (
    <LongField label="Environment variables" name={name} autoComplete="off" spellCheck={false} hint={hint} />
  );
}

/** All that were filled in; undefined where none was. */
export function variablesOf(form: FormData, field = 'env'): Record<string, string> | undefined {
  const lines = textOf(form, field)
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.length === 0 ? undefined : Object.fromEntries(lines.map(variableOf));
}

/** What is changed of those that are there; nothing where nothing was filled in and ticked. */
export function changedVariablesOf(form: FormData) {
  const setEnv = variablesOf(form, 'setEnv');
  const removeEnv = form.getAll('removeEnv').map(String);
  return { ...(setEnv ? { setEnv } : {}), ...(removeEnv.length > 0 ? { removeEnv } : {}) };
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
