import { Field } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';

interface ParamSchema {
  properties?: Record<string, { type?: string; description?: string; pattern?: string; maxLength?: number }>;
  required?: string[];
}

/** What the kind of command takes, as the panel describes it. An object is written as JSON. */
export function ParamFields({ schema }: { schema: Record<string, unknown> }) {
  const { properties = {}, required = [] } = schema as ParamSchema;
  return Object.entries(properties).map(([name, { description, pattern, maxLength, type }]) => (
    <Field
      key={name}
      label={name}
      name={`params.${name}`}
      required={required.includes(name)}
      hint={type === 'object' ? `${description ?? ''} As JSON.` : description}
      {...(pattern ? { pattern } : {})}
      {...(maxLength ? { maxLength } : {})}
    />
  ));
}

export function paramsOf(schema: Record<string, unknown>, form: FormData): Record<string, unknown> {
  const { properties = {} } = schema as ParamSchema;
  const filled = Object.entries(properties).flatMap(([name, { type }]) => {
    const text = textOf(form, `params.${name}`);
    return text === '' ? [] : [[name, type === 'object' ? objectOf(text) : text] as const];
  });
  return Object.fromEntries(filled);
}

/** Text that is no JSON goes as it is: the panel says what is wrong with it. */
function objectOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
