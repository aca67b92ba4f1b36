import { Copied } from '../enrollment/copied.tsx';
import { Dialog } from '../parts/dialog.tsx';

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
