import { Field, LongField } from '../parts/field.tsx';

interface ClusterFieldsProps {
  name?: string;
  provider?: string;
  region?: string;
  tags?: string;
}

/** What people say of a cluster. */
export function ClusterFields({ name, provider, region, tags }: ClusterFieldsProps) {
  return (
    <>
      <Field label="Name of the cluster" name="name" required maxLength={100} defaultValue={name} />
      <Field
        label="Whose it is"
        name="provider"
        required
        maxLength={50}
        hint="A word of yours."
        defaultValue={provider}
      />
      <Field
        label="Where it is"
        name="region"
        required
        maxLength={50}
        hint="A word of yours. Placements find it by this and by its tags."
        defaultValue={region}
      />
      <Field label="Tags" name="tags" hint="Separated by commas; may be left empty." defaultValue={tags} />
    </>
  );
}

export function Kubeconfig() {
  return (
    <LongField
      label="Kubeconfig"
      name="kubeconfig"
      required
      spellCheck={false}
      hint="Its current context counts, with a certificate or a token in it. It is kept sealed and never shown."
    />
  );
}
