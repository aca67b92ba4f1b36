import { useState } from 'react';
import { useMutation } from 'urql';

import { problemOf } from '../api/problem.ts';
import { UpdateInstanceDocument, type InstanceRowFragment } from '../generated/graphql.ts';
import { announce } from '../parts/announce.tsx';
import { changedOf } from '../parts/changed.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { textOf, wordsIn } from '../parts/form.ts';
import { Problem } from '../parts/problem.tsx';

/** Another name, other tags. */
export function EditDialog(props: { instance: InstanceRowFragment; onClose: () => void }) {
  const { onClose } = props;
  // As it was when editing began, whatever the page hears of it meanwhile.
  const [{ id, ...before }] = useState(props.instance);
  const [{ fetching, error }, update] = useMutation(UpdateInstanceDocument);
  const save = async (form: FormData) => {
    const name = textOf(form, 'name');
    const tags = wordsIn(textOf(form, 'tags'));
    const changes = {
      ...changedOf({ name: before.name }, { name }),
      addTags: tags.filter((tag) => !before.tags.includes(tag)),
      removeTags: before.tags.filter((tag) => !tags.includes(tag)),
    };
    const { data } = await update({ input: { id, ...changes } });
    if (!data) return;
    announce('Saved.');
    onClose();
  };
  return (
    <Dialog title="Edit name and tags" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save(new FormData(event.currentTarget));
        }}
      >
        <Field label="Name" name="name" defaultValue={before.name} required maxLength={100} autoFocus />
        <Field
          label="Tags"
          name="tags"
          defaultValue={before.tags.join(', ')}
          hint="Separated by commas. Commands, groups and policies can go by them."
        />
        <Problem told={error && problemOf(error)} />
        <div className="actions">
          <button className="main" disabled={fetching}>
            Save
          </button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}
