import { useState } from 'react';

import { useRead } from '../api/use-read.ts';
import {
  HostingRegionsDocument,
  HostingSizesDocument,
  ProvisionServerDocument,
  type ProvidersQuery,
  type ServerRowFragment,
} from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { Choice, Field } from '../parts/field.tsx';
import { textOf, wordsIn } from '../parts/form.ts';
import { useOnceKeys } from '../parts/once-key.ts';
import { Problem } from '../parts/problem.tsx';
import { money } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { Forecast } from './forecast.tsx';
import { ServerName } from './server-name.tsx';

interface NewServerProps {
  providers: ProvidersQuery['hostingProviders'];
  onMade: (server: ServerRowFragment) => void;
}

/** An order: where, how large, and what a month of it costs, before it is made. */
export function NewServer({ providers, onMade }: NewServerProps) {
  const { may } = useViewer();
  const withCosts = may('hosting.cost.read');
  const [provider, setProvider] = useState(providers[0]!.id);
  const { data, told, read } = useRead(HostingRegionsDocument, { variables: { provider } });
  const [chosenRegion, setRegion] = useState('');
  const [chosenSize, setSize] = useState('');
  const once = useOnceKeys();
  const regions = data?.hostingRegions.filter(({ available }) => available) ?? [];
  const region = regions.find(({ id }) => id === chosenRegion)?.id ?? regions[0]?.id ?? '';
  // Prices are of the region.
  const offers = useRead(HostingSizesDocument, { variables: { provider, region }, pause: region === '' });
  const sizes = (offers.data?.hostingSizes ?? [])
    .filter(({ deprecated, availableIn }) => !deprecated && availableIn.includes(region))
    .toSorted((one, other) => one.priceMonthly - other.priceMonthly);
  const size = sizes.find(({ id }) => id === chosenSize)?.id ?? sizes[0]?.id ?? '';
  return (
    <Card title="Order a server">
      <Problem told={told} retry={read} />
      <Problem told={offers.told} retry={offers.read} />
      <ActionForm
        document={ProvisionServerDocument}
        variables={(form) => ({
          input: once.keyed({
            provider,
            region,
            size,
            name: textOf(form, 'name'),
            tags: wordsIn(textOf(form, 'tags')),
            isProtected: form.get('isProtected') === 'on',
            installCloudOs: form.get('installCloudOs') === 'on',
            sshKeys: wordsIn(textOf(form, 'sshKeys')),
          }),
          withCosts,
        })}
        submit="Order it"
        done="The server is ordered."
        isDisabled={size === ''}
        onDone={({ provisionServer }) => {
          once.done();
          onMade(provisionServer);
        }}
      >
        <Choice
          label="Provider"
          value={provider}
          options={providers.map(({ id, name, sandbox }) => ({
            value: id,
            text: sandbox ? `${name} (stand-in)` : name,
          }))}
          onChange={setProvider}
        />
        <Choice
          label="Region"
          value={region}
          options={regions.map(({ id, city, name, country }) => ({
            value: id,
            text: `${city ?? name} ${country ?? ''} (${id})`,
          }))}
          onChange={setRegion}
        />
        <Choice
          label="Size"
          value={size}
          options={sizes.map(({ id, name, vcpus, memoryGb, diskGb, priceMonthly, currency }) => ({
            value: id,
            text: `${name}: ${vcpus} cores, ${memoryGb} GB, ${diskGb} GB disk, ${money(priceMonthly, currency)} a month`,
          }))}
          onChange={setSize}
        />
        <ServerName />
        <Field label="Tags of its node" name="tags" hint="Separated by commas; may be left empty." />
        <Field
          label="SSH keys that may log in"
          name="sshKeys"
          hint="By their names at the provider, separated by commas; may be left empty."
        />
        <label className="check">
          <input type="checkbox" name="installCloudOs" defaultChecked /> Install Cloud OS, so that it becomes
          a node
        </label>
        <label className="check">
          <input type="checkbox" name="isProtected" /> Protect it from being removed
        </label>
        {size !== '' && withCosts && (
          <Forecast key={JSON.stringify([provider, region, size])} {...{ provider, region, size }} />
        )}
      </ActionForm>
    </Card>
  );
}
