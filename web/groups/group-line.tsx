import { Link } from '@tanstack/react-router';
import { useState } from 'react';

import {
  DeleteInstanceGroupDocument,
  UpdateInstanceGroupDocument,
  type GroupRowFragment,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { changedOf } from '../parts/changed.ts';
import { Field } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { textOf } from '../parts/form.ts';
import { plural, words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { FilterFields, filterFrom, filterOf, type Filter } from './filter-fields.tsx';
import { MembersDialog } from './members-dialog.tsx';

interface GroupLineProps {
  group: GroupRowFragment;
  onChange: () => void;
}

/** One group, who is in it, and what can be done about it. */
export function GroupLine({ group, onChange }: GroupLineProps) {
  const { may } = useViewer();
  const [opened, setOpened] = useState<'edit' | 'members'>();
  const { id, name, kind, instances } = group;
  const isManager = may('fleet.group.manage');
  const close = () => setOpened(undefined);
  return (
    <>
      <div>
        <strong>{name}</strong> {plural(instances.totalCount, 'instance')}
        <p>
          {kind === 'LIVE'
            ? `Whoever at the moment has: ${filterText(group)}`
            : 'Those that were put into it'}
        </p>
        <p className="quiet">
          {instances.nodes.map((instance, at) => (
            <span key={instance.id}>
              {at > 0 && ', '}
              <Link to="/instances/$id" params={{ id: instance.id }}>
                {instance.name}
              </Link>
            </span>
          ))}
          {instances.totalCount > instances.nodes.length && ' and others'}
        </p>
        {may('fleet.command.send') && (
          <Link to="/commands/new" search={{ group: id }}>
            Send a command to {name}
          </Link>
        )}
      </div>
      <div className="actions">
        <button
          type="button"
          aria-haspopup="dialog"
          aria-label={`Members of ${name}`}
          onClick={() => setOpened('members')}
        >
          Members
        </button>
        {isManager && (
          <>
            <button
              type="button"
              aria-haspopup="dialog"
              aria-label={`Edit ${name}`}
              onClick={() => setOpened('edit')}
            >
              Edit
            </button>
            <Action
              document={DeleteInstanceGroupDocument}
              variables={{ id }}
              text="Remove"
              label={`Remove ${name}`}
              confirm="Its instances stay. Its maintenance windows and its overrides of alert rules go with it, and policies for it are for nobody then."
              done={`${name} is removed.`}
              onDone={onChange}
            />
          </>
        )}
      </div>
      {opened === 'edit' && <EditGroup group={group} onClose={close} onChange={onChange} />}
      {opened === 'members' && (
        <MembersDialog
          group={group}
          isChangeable={isManager && kind === 'STATIC'}
          onClose={close}
          onChange={onChange}
        />
      )}
    </>
  );
}

function EditGroup({ group, onClose, onChange }: GroupLineProps & { onClose: () => void }) {
  // As it was when editing began.
  const [before] = useState(group);
  const [filter, setFilter] = useState(() => filterFrom(before.filter));
  const { id, name, kind } = before;
  return (
    <FormDialog
      title={`Group: ${name}`}
      document={UpdateInstanceGroupDocument}
      variables={(form) => ({
        input: {
          id,
          ...changedOf(settingsOf(name, filterFrom(before.filter)), settingsOf(textOf(form, 'name'), filter)),
        },
      })}
      submit="Save"
      done={`${name} is changed.`}
      onClose={onClose}
      onDone={onChange}
    >
      <Field label="Name of the group" name="name" required maxLength={200} defaultValue={name} />
      {kind === 'LIVE' && <FilterFields filter={filter} onChange={setFilter} />}
    </FormDialog>
  );
}

/** Of a static group the filter never differs. */
const settingsOf = (name: string, filter: Filter) => ({ name, filter: filterOf(filter) });

function filterText({ filter }: GroupRowFragment): string {
  const parts = [
    ...(filter?.tags?.length ? [`the tags ${filter.tags.join(', ')}`] : []),
    ...(filter?.status ? [`the status ${words(filter.status).toLowerCase()}`] : []),
    ...(filter?.q ? [`“${filter.q}” in its name or host`] : []),
  ];
  return parts.join(' and ');
}
