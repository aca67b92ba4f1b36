import { RegisterClusterDocument } from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { Field, LongField } from '../parts/field.tsx';
import { textOf, wordsIn } from '../parts/form.ts';

export function NewCluster({ onMade }: { onMade: () => void }) {
  return (
    <Card title="Register a cluster">
      <ActionForm
        document={RegisterClusterDocument}
        variables={(form) => ({
          input: {
            name: textOf(form, 'name'),
            provider: textOf(form, 'provider'),
            region: textOf(form, 'region'),
            kubeconfig: textOf(form, 'kubeconfig'),
            tags: wordsIn(textOf(form, 'tags')),
          },
        })}
        submit="Register it"
        done="The cluster is registered."
        onDone={onMade}
      >
        <Field label="Name of the cluster" name="name" required maxLength={100} />
        <Field label="Whose it is" name="provider" required maxLength={50} hint="A word of yours." />
        <Field label="Where it is" name="region" required maxLength={50} hint="A word of yours." />
        <Field label="Tags" name="tags" hint="Separated by commas; may be left empty." />
        <LongField
          label="Kubeconfig"
          name="kubeconfig"
          required
          spellCheck={false}
          hint="Its current context counts, with a certificate or a token in it. It is kept sealed and never shown."
        />
      </ActionForm>
    </Card>
  );
}
