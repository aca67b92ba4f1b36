import { Copied } from '../enrollment/copied.tsx';
import { RotateWebhookSecretDocument } from '../generated/graphql.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';

export interface ShownSecret {
  /** Of the channel. */
  name: string;
  secret: string;
}

/** What a receiver checks the signatures by. It is shown this once and kept nowhere in the page. */
export function WebhookSecret({ of: { name, secret }, onClose }: { of: ShownSecret; onClose: () => void }) {
  return (
    <Dialog title={`Secret of ${name}`} isShownOnce onClose={onClose}>
      <p>
        The receiver checks by it that messages are the panel&apos;s. It is shown this once: copy it now. If
        it is lost, give the channel another.
      </p>
      <Copied label="Secret" text={secret} />
      <div className="actions">
        <button type="button" className="main" onClick={onClose}>
          I have copied it
        </button>
      </div>
    </Dialog>
  );
}

interface AnotherSecretProps {
  channel: { id: string; name: string };
  onClose: () => void;
  onDone: (secret: string) => void;
}

/** Takes the place of the one that there is, after a while in which both count, or at once where that has leaked. */
export function AnotherSecret({ channel: { id, name }, onClose, onDone }: AnotherSecretProps) {
  return (
    <FormDialog
      title={`Another secret for ${name}`}
      document={RotateWebhookSecretDocument}
      variables={(form) => ({ input: { id, keepPreviousHours: Number(form.get('keepPreviousHours')) } })}
      submit="Another secret"
      done={`${name} has another secret.`}
      onClose={onClose}
      onDone={({ rotateWebhookSecret: { secret } }) => onDone(secret)}
    >
      <Field
        label="The former one counts for, in hours"
        name="keepPreviousHours"
        type="number"
        min={0}
        max={168}
        defaultValue={24}
        required
        hint="Messages are signed with both meanwhile, so that the receiver can follow. 0 where it has leaked."
      />
    </FormDialog>
  );
}
