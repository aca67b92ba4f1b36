import { useRead } from '../api/use-read.ts';
import { AcknowledgeAlertsDocument, FiringLikeDocument } from '../generated/graphql.ts';
import { Field } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { textOf } from '../parts/form.ts';
import { Problem } from '../parts/problem.tsx';
import { plural, words } from '../parts/words.ts';
import type { AlertSearch } from './alert-search.ts';

interface AcknowledgeDialogProps {
  search: AlertSearch;
  onClose: () => void;
  onDone: () => void;
}

const atOnce = 500;

/** Takes up all that fire and are like what the page shows, with a word for the others. */
export function AcknowledgeDialog({ search, onClose, onDone }: AcknowledgeDialogProps) {
  const { severity = null, rule = null, instance: instanceId = null } = search;
  const filter = { status: 'FIRING' as const, severity, rule, instanceId };
  const { data, told, read } = useRead(FiringLikeDocument, {
    variables: { filter },
    requestPolicy: 'network-only',
  });
  const total = data?.alerts.totalCount;
  const like = [severity, rule].flatMap((one) => (one === null ? [] : [words(one).toLowerCase()]));
  const what = `${like.length > 0 ? ` (${like.join(', ')})` : ''}${instanceId === null ? '' : ' of the instance'}`;
  return (
    <FormDialog
      title="Acknowledge alerts"
      document={AcknowledgeAlertsDocument}
      // Those that were counted: what has begun to fire since was seen by nobody.
      variables={(form) => ({
        input: { ids: data?.alerts.nodes.map(({ id }) => id) ?? [], comment: textOf(form, 'comment') },
      })}
      submit="Acknowledge"
      done="Acknowledged."
      isDisabled={total === undefined || total === 0}
      onClose={onClose}
      onDone={onDone}
    >
      <p role="status">
        {total !== undefined &&
          `${plural(total, 'alert fires', 'alerts fire')}${what}` +
            `${total > atOnce ? `; the newest ${atOnce} are acknowledged now` : ''}.`}
      </p>
      <Problem told={told} retry={read} />
      <Field label="Comment" name="comment" maxLength={500} hint="Others read this beside the alerts." />
    </FormDialog>
  );
}
