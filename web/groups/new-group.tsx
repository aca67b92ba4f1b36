import { useState } from 'react';

import { CreateInstanceGroupDocument, type InstanceGroupKind } from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { Choice, Field } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';
import { FilterFields, filterOf, noFilter } from './filter-fields.tsx';

const kinds: readonly { value: InstanceGroupKind; text: string }[] = [
  { value: 'LIVE', text: 'Whoever has it in common at the moment' },
  { value: 'STATIC', text: 'Whoever has it in common now, until you put in or take out others' },
];

/** A name for some instances. */
export function NewGroup({ onMade }: { onMade: () => void }) {
  const [kind, setKind] = useState<InstanceGroupKind>('LIVE');
  const [filter, setFilter] = useState(noFilter);
  return (
    <Card title="New group" className="wide">
      <ActionForm
        document={CreateInstanceGroupDocument}
        variables={(form) => ({ input: { name: textOf(form, 'name'), kind, filter: filterOf(filter) } })}
        submit="Make the group"
        done="The group is made."
        onDone={() => {
          setFilter(noFilter);
          onMade();
        }}
      >
        <Field label="Name of the group" name="name" required maxLength={200} />
        <Choice label="Who is in it" name="kind" value={kind} options={kinds} onChange={setKind} />
        <FilterFields filter={filter} onChange={setFilter} />
      </ActionForm>
    </Card>
  );
}
