import { useRef, useState } from 'react';

import { problemOf } from '../api/problem.ts';
import { usePages } from '../api/use-pages.ts';
import { useRead } from '../api/use-read.ts';
import { useSettled } from '../api/use-settled.ts';
import {
  GroupMembersDocument,
  MembersCalledDocument,
  UpdateInstanceGroupDocument,
  type GroupRowFragment,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { Problem } from '../parts/problem.tsx';
import { plural } from '../parts/words.ts';
import { foundText } from './found-text.ts';

interface Member {
  id: string;
  name: string;
}

interface MembersDialogProps {
  group: GroupRowFragment;
  /** Whether the viewer may put instances in and take them out, one by one. */
  isChangeable: boolean;
  onClose: () => void;
  onChange: () => void;
}

/** Who is in a group. */
export function MembersDialog({ group, isChangeable, onClose, onChange }: MembersDialogProps) {
  const { id, name } = group;
  const { rows, total, error, hasMore, more, reload } = usePages(
    GroupMembersDocument,
    { id },
    ({ instances }) => instances,
  );
  const heading = useRef<HTMLParagraphElement>(null);
  const changed = () => {
    // The button that was pressed goes away.
    heading.current?.focus();
    reload();
    onChange();
  };
  return (
    <Dialog title={`Members of ${name}`} onClose={onClose}>
      <Problem told={error && problemOf(error)} retry={reload} />
      <p ref={heading} tabIndex={-1} role="status">
        {total === undefined ? 'Reading who is in it…' : `${plural(total, 'instance')} in it.`}
      </p>
      <ul className="lines" aria-label="In the group">
        {rows?.map((member) => (
          <li key={member.id}>
            {member.name} {isChangeable && <InOrOut group={group} member={member} isIn onDone={changed} />}
          </li>
        ))}
      </ul>
      {hasMore && (
        <button type="button" onClick={more}>
          Show more
        </button>
      )}
      {isChangeable && rows && <Others group={group} onChange={changed} />}
      <div className="actions">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

/** Finds instances by their names, whether they are in the group or not. */
function Others({ group, onChange }: { group: GroupRowFragment; onChange: () => void }) {
  const [typed, setTyped] = useState('');
  const q = useSettled(typed.trim(), 400);
  const { data, told, read } = useRead(MembersCalledDocument, {
    variables: { id: group.id, q },
    pause: q === '',
    requestPolicy: 'network-only',
  });
  // Both are the first in the same order: of those that were found none in the group is beyond these.
  const inGroup = new Set(data?.inGroup.nodes.map((member) => member.id));
  const others = data?.instances.nodes.filter(({ id }) => !inGroup.has(id)) ?? [];
  return (
    <>
      <Field
        label="Find others by name"
        type="search"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
      <Problem told={told} retry={read} />
      {q !== '' && data && <p role="status">{foundText(data.instances, others, 'in the group')}</p>}
      <ul className="lines" aria-label="Found">
        {q !== '' &&
          data?.instances.nodes.map((instance) => (
            <li key={instance.id}>
              {instance.name}{' '}
              <InOrOut
                group={group}
                member={instance}
                isIn={inGroup.has(instance.id)}
                onDone={() => {
                  onChange();
                  read();
                }}
              />
            </li>
          ))}
      </ul>
    </>
  );
}

interface InOrOutProps {
  group: GroupRowFragment;
  member: Member;
  isIn: boolean;
  onDone: () => void;
}

function InOrOut({ group, member: { id, name }, isIn, onDone }: InOrOutProps) {
  const text = isIn ? 'Take out' : 'Put in';
  return (
    <Action
      document={UpdateInstanceGroupDocument}
      variables={{ input: { id: group.id, [isIn ? 'removeInstanceIds' : 'addInstanceIds']: [id] } }}
      text={text}
      label={`${text} ${name}`}
      done={isIn ? `${name} is not in ${group.name} any more.` : `${name} is in ${group.name}.`}
      onDone={onDone}
    />
  );
}
