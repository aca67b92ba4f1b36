import { useRead } from '../api/use-read.ts';
import { useSettled } from '../api/use-settled.ts';
import { GroupReachDocument, type GroupRowFragment, type InstanceStatus } from '../generated/graphql.ts';
import { statuses } from '../instances/instance-search.ts';
import { Choice, Field, FieldGroup } from '../parts/field.tsx';
import { wordsIn } from '../parts/form.ts';
import { Problem } from '../parts/problem.tsx';
import { plural, words } from '../parts/words.ts';

/** What instances have in common, as it is filled in. */
export interface Filter {
  tags: string;
  status: '' | InstanceStatus;
  q: string;
}

export const noFilter: Filter = { tags: '', status: '', q: '' };

export function filterFrom(filter: GroupRowFragment['filter']): Filter {
  return { tags: filter?.tags?.join(', ') ?? '', status: filter?.status ?? '', q: filter?.q ?? '' };
}

export function filterOf({ tags, status, q }: Filter) {
  const given = wordsIn(tags);
  return { tags: given.length > 0 ? given : null, status: status || null, q: q.trim() || null };
}

interface FilterFieldsProps {
  filter: Filter;
  onChange: (filter: Filter) => void;
}

/** What they have in common, and who that is now. */
export function FilterFields({ filter, onChange }: FilterFieldsProps) {
  return (
    <FieldGroup legend="Those that have all of this in common" name="filter">
      <Field
        label="Tags"
        name="filter.tags"
        value={filter.tags}
        onChange={(event) => onChange({ ...filter, tags: event.target.value })}
        hint="Separated by commas; they have all of them."
      />
      <Choice
        label="Status"
        name="filter.status"
        value={filter.status}
        options={[
          { value: '' as const, text: 'Any' },
          ...statuses.map((value) => ({ value, text: words(value) })),
        ]}
        onChange={(status) => onChange({ ...filter, status })}
      />
      <Field
        label="In the name or host"
        name="filter.q"
        value={filter.q}
        maxLength={200}
        onChange={(event) => onChange({ ...filter, q: event.target.value })}
      />
      <Reach filter={filter} />
    </FieldGroup>
  );
}

function Reach({ filter }: { filter: Filter }) {
  const asked = useSettled(JSON.stringify(filterOf(filter)), 400);
  const given = JSON.parse(asked) as ReturnType<typeof filterOf>;
  const isEmpty = Object.values(given).every((value) => value === null);
  const { data, told, read } = useRead(GroupReachDocument, {
    variables: { filter: given },
    pause: isEmpty,
  });
  if (told) return <Problem told={told} retry={read} />;
  if (isEmpty) return <p role="status">Say at least one of these.</p>;
  if (!data) return <p role="status">Asking who that is…</p>;
  const { totalCount, nodes } = data.instances;
  return (
    <p role="status">
      Now that is {plural(totalCount, 'instance')}
      {totalCount > 0 && `: ${nodes.map(({ name }) => name).join(', ')}`}
      {totalCount > nodes.length && ' and others'}.
    </p>
  );
}
