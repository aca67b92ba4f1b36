import { useState } from 'react';

import { UpdateInstanceDocument, type InstanceRowFragment } from '../generated/graphql.ts';
import { changedOf } from '../parts/changed.ts';
import { Field } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { textOf, wordsIn } from '../parts/form.ts';

/** Another name, other tags. */
export function EditDialog(props: { instance: InstanceRowFragment; onClose: () => void }) {
  // As it was when editing began, whatever the page hears of it meanwhile.
  const [{ id, ...before }] = useState(props.instance);
  return (
    <FormDialog
      title="Edit name and tags"
      document={UpdateInstanceDocument}
      variables={(form) => {
        const tags = wordsIn(textOf(form, 'addTags'));
        return {
          input: {
            id,
            ...changedOf({ name: before.name }, { name: textOf(form, 'name') }),
            addTags: tags.filter((tag) => !before.tags.includes(tag)),
            removeTags: before.tags.filter((tag) => !tags.includes(tag)),
          },
        };
      }}
      submit="Save"
      done="Saved."
      onClose={props.onClose}
    >
      <Field label="Name" name="name" defaultValue={before.name} required maxLength={200} autoFocus />
      <Field
        label="Tags"
        name="addTags"
        defaultValue={before.tags.join(', ')}
        hint="Separated by commas. Commands, groups and policies can go by them."
      />
    </FormDialog>
  );
}
