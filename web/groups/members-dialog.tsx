import { useRef, useState } from 'react';

import { useRead } from '../api/use-read.ts';
import { useSettled } from '../api/use-settled.ts';
import {
  GroupMembersDocument,
  InstancesCalledDocument,
  UpdateInstanceGroupDocument,
  type GroupRowFragment,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { Problem } from '../parts/problem.tsx';
import { count, plural } from '../parts/words.ts';
import { foundText } from './found-text.ts';

interface MembersDialogProps {
  group: GroupRowFragment;
  onClose: () => void;
  onChange: () => void;
}

/** Who is in a static group: puts instances in and takes them out, one by one. */
export function MembersDialog({ group: { id, name }, onClose, onChange }: MembersDialogProps) {
  const { data, told, read } = useRead(GroupMembersDocument, {
    variables: { id },
    requestPolicy: 'network-only',
  });
  const heading = useRef<HTMLParagraphElement>(null);
  const [typed, setTyped] = useState('');
  const q = useSettled(typed.trim(), 400);
  const found = useRead(InstancesCalledDocument, { variables: { q }, pause: q === '' });
  const members = data?.instanceGroup.instances;
  const known = new Set(members?.nodes.map((member) => member.id));
  const others = found.data?.instances.nodes.filter((instance) => !known.has(instance.id));
  const changed = () => {
    // The button that was pressed goes away.
    heading.current?.focus();
    read();
    onChange();
  };
  return (
    <Dialog title={`Members of ${name}`} onClose={onClose}>
      <Problem told={told} retry={read} />
      <p ref={heading} tabIndex={-1} role="status">
        {members ? `${plural(members.totalCount, 'instance')} in it.` : 'Reading who is in it…'}
      </p>
      {members && (
        <>
          <ul className="lines" aria-label="In the group">
            {members.nodes.map((member) => (
              <li key={member.id}>
                {member.name}{' '}
                <Action
                  document={UpdateInstanceGroupDocument}
                  variables={{ input: { id, removeInstanceIds: [member.id] } }}
                  text="Take out"
                  label={`Take out ${member.name}`}
                  done={`${member.name} is not in ${name} any more.`}
                  onDone={changed}
                />
              </li>
            ))}
          </ul>
          {members.totalCount > members.nodes.length && (
            <p>These are the first {count(members.nodes.length)}.</p>
          )}
          <Field
            label="Find others by name"
            type="search"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
          <Problem told={found.told} retry={found.read} />
          {q !== '' && found.data && (
            <p role="status">{foundText(found.data.instances, others ?? [], 'in the group')}</p>
          )}
          <ul className="lines" aria-label="Found">
            {q !== '' &&
              others?.map((instance) => (
                <li key={instance.id}>
                  {instance.name}{' '}
                  <Action
                    document={UpdateInstanceGroupDocument}
                    variables={{ input: { id, addInstanceIds: [instance.id] } }}
                    text="Put in"
                    label={`Put in ${instance.name}`}
                    done={`${instance.name} is in ${name}.`}
                    onDone={changed}
                  />
                </li>
              ))}
          </ul>
        </>
      )}
      <div className="actions">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
