import { useRead } from '../api/use-read.ts';
import { GroupNamesDocument } from '../generated/graphql.ts';
import { Choice, Field, FieldGroup } from '../parts/field.tsx';
import { wordsIn } from '../parts/form.ts';
import { Problem } from '../parts/problem.tsx';
import { ChosenFields } from './chosen.tsx';

type Kind = 'all' | 'tags' | 'groups' | 'chosen';

/** Whom a policy, a canary or a command is for, as it is filled in. */
export interface Scope {
  kind: Kind;
  tags: string;
  groupIds: readonly string[];
  instanceIds: readonly string[];
}

export const everyone: Scope = { kind: 'all', tags: '', groupIds: [], instanceIds: [] };

/** What the API says of it as it is edited. */
export function scopeOf(appliesTo: unknown): Scope {
  if (typeof appliesTo !== 'object' || appliesTo === null) return everyone;
  const { tags, group_ids, instance_ids } = appliesTo as Record<string, string[] | undefined>;
  if (tags) return { ...everyone, kind: 'tags', tags: tags.join(', ') };
  if (group_ids) return { ...everyone, kind: 'groups', groupIds: group_ids };
  return instance_ids ? { ...everyone, kind: 'chosen', instanceIds: instance_ids } : everyone;
}

export function appliesToOf({ kind, tags, groupIds, instanceIds }: Scope): unknown {
  if (kind === 'tags') return { tags: wordsIn(tags) };
  if (kind === 'groups') return { group_ids: groupIds };
  return kind === 'chosen' ? { instance_ids: instanceIds } : 'all_instances';
}

/** Whether nobody has been named yet. */
export function isForNobody({ kind, tags, groupIds, instanceIds }: Scope): boolean {
  if (kind === 'tags') return wordsIn(tags).length === 0;
  return (kind === 'groups' ? groupIds : kind === 'chosen' ? instanceIds : [kind]).length === 0;
}

const kinds: readonly { value: Kind; text: string }[] = [
  { value: 'all', text: 'All instances' },
  { value: 'tags', text: 'Those with some tags' },
  { value: 'groups', text: 'Those in some groups' },
  { value: 'chosen', text: 'Instances that are chosen one by one' },
];

interface ScopeFieldsProps {
  scope: Scope;
  onChange: (scope: Scope) => void;
  /** What can not be for everyone. */
  withoutAll?: boolean;
}

/** Whom a policy, a canary or a command is for. */
export function ScopeFields({ scope, onChange, withoutAll = false }: ScopeFieldsProps) {
  const { data, told, read } = useRead(GroupNamesDocument, { pause: scope.kind !== 'groups' });
  const groups = data?.instanceGroups.nodes ?? [];
  const { kind, tags, groupIds, instanceIds } = scope;
  const gone = data ? groupIds.filter((id) => groups.every((group) => group.id !== id)) : [];
  const boxes = [...groups, ...gone.map((id) => ({ id, name: `A group that was removed (${id})` }))];
  return (
    <>
      <Choice
        label="Whom it is for"
        name="appliesTo"
        value={kind}
        options={withoutAll ? kinds.filter(({ value: each }) => each !== 'all') : kinds}
        onChange={(chosen) => onChange({ ...scope, kind: chosen })}
      />
      {kind === 'tags' && (
        <Field
          label="With all of the tags"
          name="appliesTo.tags"
          value={tags}
          required
          onChange={(event) => onChange({ ...scope, tags: event.target.value })}
          hint="Separated by commas."
        />
      )}
      {kind === 'groups' && (
        <FieldGroup legend="In any of the groups" name="appliesTo.group_ids">
          <Problem told={told} retry={read} />
          {data && boxes.length === 0 && <p>There is no group yet. Make one at Groups.</p>}
          {boxes.map(({ id, name }) => (
            <label key={id} className="check">
              <input
                type="checkbox"
                checked={groupIds.includes(id)}
                onChange={({ target }) =>
                  onChange({
                    ...scope,
                    groupIds: target.checked ? [...groupIds, id] : groupIds.filter((one) => one !== id),
                  })
                }
              />{' '}
              {name}
            </label>
          ))}
        </FieldGroup>
      )}
      {kind === 'chosen' && (
        <ChosenFields ids={instanceIds} onChange={(ids) => onChange({ ...scope, instanceIds: ids })} />
      )}
    </>
  );
}
