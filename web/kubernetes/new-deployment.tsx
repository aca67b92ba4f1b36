import { useState } from 'react';

import { useRead } from '../api/use-read.ts';
import {
  ClusterChoicesDocument,
  CreateDeploymentDocument,
  PlaceDeploymentDocument,
} from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { Choice, Field, Select } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';
import { ImageFields, PortsField, portsOf, VariablesField, variablesOf } from './image-fields.tsx';

interface NewDeploymentProps {
  /** Those that are shown. */
  clusters: readonly { id: string; name: string }[];
  hasMore: boolean;
}

const wheres = [
  { value: 'one', text: 'In one cluster' },
  { value: 'several', text: 'In all clusters of a region or a tag' },
] as const;

/** An image to run, in one cluster or placed on several. */
export function NewDeployment({ clusters, hasMore }: NewDeploymentProps) {
  const all = useRead(ClusterChoicesDocument, { pause: !hasMore });
  const [where, setWhere] = useState<'one' | 'several'>('one');
  return (
    <Card title="Run an image">
      <Choice label="Where" value={where} options={wheres} onChange={setWhere} />
      {where === 'one' ? (
        <ActionForm
          document={CreateDeploymentDocument}
          variables={(form) => ({ input: { clusterId: textOf(form, 'clusterId'), ...workloadOf(form) } })}
          submit="Run it"
          done="It is being deployed."
        >
          <Select
            label="Cluster"
            name="clusterId"
            options={(all.data?.clusters.nodes ?? clusters).map(({ id, name }) => ({
              value: id,
              text: name,
            }))}
          />
          <Workload />
        </ActionForm>
      ) : (
        <ActionForm
          document={PlaceDeploymentDocument}
          variables={(form) => ({
            input: {
              ...workloadOf(form),
              region: textOf(form, 'region') || null,
              tag: textOf(form, 'tag') || null,
              partitionPercent: Number(form.get('partitionPercent')),
              mostFailures: Number(form.get('mostFailures')),
            },
          })}
          submit="Place it"
          done="It is being placed."
        >
          <Field label="Region" name="region" hint="It or a tag." />
          <Field label="Tag" name="tag" />
          <Field
            label="Clusters at a time, in percent"
            name="partitionPercent"
            type="number"
            min={1}
            max={100}
            defaultValue={25}
            required
          />
          <Field
            label="Clusters that it may fail in before it is stopped"
            name="mostFailures"
            type="number"
            min={0}
            max={199}
            defaultValue={0}
            required
          />
          <Workload />
        </ActionForm>
      )}
    </Card>
  );
}

function Workload() {
  return (
    <>
      <Field
        label="Name of the deployment"
        name="name"
        required
        maxLength={63}
        pattern="[a-z0-9\-]+"
        hint="Lower-case letters, digits and hyphens."
      />
      <Field label="Namespace" name="namespace" defaultValue="default" required />
      <ImageFields />
      <PortsField />
      <VariablesField />
    </>
  );
}

function workloadOf(form: FormData) {
  return {
    name: textOf(form, 'name'),
    namespace: textOf(form, 'namespace'),
    image: textOf(form, 'image'),
    replicas: Number(form.get('replicas')),
    ports: portsOf(form),
    env: variablesOf(form) ?? null,
  };
}
