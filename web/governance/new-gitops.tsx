import { CreateGitOpsConfigDocument } from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { GitOpsFields, gitOpsOf } from './gitops-fields.tsx';

/** A repository to follow. */
export function NewGitOps({ onMade }: { onMade: () => void }) {
  return (
    <Card title="Follow a repository" className="wide">
      <ActionForm
        document={CreateGitOpsConfigDocument}
        variables={(form) => ({ input: gitOpsOf(form) })}
        submit="Follow it"
        done="The repository is looked at."
        onDone={onMade}
      >
        <GitOpsFields />
      </ActionForm>
    </Card>
  );
}
