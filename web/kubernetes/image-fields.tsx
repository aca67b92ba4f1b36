import { Field } from '../parts/field.tsx';

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
