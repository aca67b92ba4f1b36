import { Field } from '../parts/field.tsx';

/** The name that a server is ordered under. */
export function ServerName({ defaultValue }: { defaultValue?: string | undefined }) {
  return (
    <Field
      label="Name of the server"
      name="name"
      required
      maxLength={63}
      pattern="[A-Za-z0-9\-]+"
      hint="Letters, digits and hyphens."
      defaultValue={defaultValue}
    />
  );
}
