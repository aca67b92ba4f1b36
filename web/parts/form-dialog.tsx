import type { AnyVariables } from 'urql';

import { ActionForm, type ActionFormProps } from './action-form.tsx';
import { Dialog } from './dialog.tsx';

interface FormDialogProps<Data, Variables extends AnyVariables> extends Omit<
  ActionFormProps<Data, Variables>,
  'onCancel'
> {
  title: string;
  onClose: () => void;
}

/** A form over the page, which is left when it is done. */
export function FormDialog<Data, Variables extends AnyVariables>(props: FormDialogProps<Data, Variables>) {
  const { title, onClose, onDone, ...form } = props;
  return (
    <Dialog title={title} onClose={onClose}>
      <ActionForm<Data, Variables>
        {...form}
        onCancel={onClose}
        onDone={(data) => {
          onClose();
          onDone?.(data);
        }}
      />
    </Dialog>
  );
}
