import { CreateGitOpsConfigDocument } from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { Field } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';

/** A repository to follow. */
export function NewGitOps({ onMade }: { onMade: () => void }) {
  return (
    <Card title="Follow a repository" className="wide">
      <ActionForm
        document={CreateGitOpsConfigDocument}
        variables={(form) => {
          const token = textOf(form, 'token');
          return {
            input: {
              name: textOf(form, 'name'),
              repoUrl: textOf(form, 'repoUrl'),
              branch: textOf(form, 'branch') || null,
              path: textOf(form, 'path') || null,
              autoSync: form.get('autoSync') === 'on',
              prune: form.get('prune') === 'on',
              credential: token ? { token } : null,
            },
          };
        }}
        submit="Follow it"
        done="The repository is looked at."
        onDone={onMade}
      >
        <Field label="Name of the repository" name="name" required maxLength={200} />
        <Field
          label="Its address"
          name="repoUrl"
          required
          maxLength={500}
          hint="https://… or git@host:path, without any secret in it."
        />
        <Field label="Branch" name="branch" hint="main unless told." />
        <Field label="Folder" name="path" hint="Left empty: all of it." />
        <Field
          label="Token that may read it"
          name="token"
          type="password"
          autoComplete="off"
          hint="Left empty for a public one. It is kept sealed and never shown."
        />
        <label className="check">
          <input type="checkbox" name="autoSync" /> Put new commits into force by themselves
        </label>
        <label className="check">
          <input type="checkbox" name="prune" /> Remove what is declared no more
        </label>
      </ActionForm>
    </Card>
  );
}
