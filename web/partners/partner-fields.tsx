import { Field } from '../parts/field.tsx';

interface PartnerFieldsProps {
  name?: string;
  contactEmail?: string;
  website?: string | null;
}

/** How a partner presents itself. */
export function PartnerFields({ name, contactEmail, website }: PartnerFieldsProps) {
  return (
    <>
      <Field label="Name of the partner" name="name" required maxLength={200} defaultValue={name} />
      <Field
        label="E-mail to write to"
        name="contactEmail"
        type="email"
        required
        defaultValue={contactEmail}
      />
      <Field
        label="Website"
        name="website"
        type="url"
        maxLength={500}
        hint="May be left empty."
        defaultValue={website ?? undefined}
      />
    </>
  );
}
