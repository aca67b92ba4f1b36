import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';

import { problemOf } from '../api/problem.ts';
import { useFollowed } from '../api/use-followed.ts';
import { usePages } from '../api/use-pages.ts';
import { useRead } from '../api/use-read.ts';
import {
  PartnerChangedDocument,
  PartnersDocument,
  PartnerTiersDocument,
  RegisterPartnerDocument,
  type PartnerRowFragment,
} from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { Choice } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { withoutEmpty } from '../parts/search.ts';
import { Status } from '../parts/status.tsx';
import { plural, words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { Outlook } from './outlook.tsx';
import { PartnerActions } from './partner-actions.tsx';
import { PartnerFields } from './partner-fields.tsx';
import { partnerStatuses, type PartnerSearch } from './partner-search.ts';

const route = getRouteApi('/partners');

const choices = [
  { value: '' as const, text: 'Any' },
  ...partnerStatuses.map((value) => ({ value, text: words(value) })),
];

/** The partner programme: where the organization stands in it, what it earns, and what comes next. */
export default function PartnersPage() {
  const { may } = useViewer();
  const navigate = route.useNavigate();
  const { status = '' } = route.useSearch();
  const { rows, error, hasMore, more, reload } = usePages(
    PartnersDocument,
    { filter: { status: status || null } },
    ({ partners }) => partners,
  );
  useFollowed(PartnerChangedDocument, {}, reload);
  const tiers = useRead(PartnerTiersDocument);
  /** Who was told that it may be done or not reads that to its end: the list may have it by then. */
  const [isRefused, setRefused] = useState(false);
  const isOpen =
    status === '' &&
    rows?.every((one) => !one.isOwn || one.status === 'REJECTED') &&
    may('billing.partner.manage');
  const noneYet = may('billing.partner.manage')
    ? 'You are no partner yet. Register below; who runs this panel then decides.'
    : 'You are no partner yet.';
  return (
    <Page title="Partners">
      {may('billing.partner.decide') && (
        <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
          <Choice
            label="State"
            value={status}
            options={choices}
            onChange={(chosen) =>
              void navigate({ search: withoutEmpty<PartnerSearch>({ status: chosen }), replace: true })
            }
          />
        </form>
      )}
      <div className="cards">
        <Listing
          title="Registrations"
          rows={rows}
          told={error && problemOf(error)}
          retry={reload}
          more={hasMore ? more : undefined}
          empty={status === '' ? noneYet : 'None is like this.'}
          keyOf={({ id }) => id}
          render={(partner) => <PartnerLine partner={partner} onChange={reload} />}
        />
        {(isOpen || isRefused) && (
          <Register
            onRefused={() => setRefused(true)}
            onMade={() => {
              setRefused(false);
              reload();
            }}
          />
        )}
        <Listing
          title="Tiers"
          rows={tiers.data?.partnerTiers}
          told={tiers.told}
          retry={tiers.read}
          empty="This panel has none."
          keyOf={({ id }) => id}
          render={({ name, discountPercent, minInstances, features }) => (
            <div>
              <strong>{name}</strong> {discountPercent} % off, from {plural(minInstances, 'instance')} on
              <p className="quiet">{features.join(', ')}</p>
            </div>
          )}
        />
      </div>
    </Page>
  );
}

function PartnerLine({ partner, onChange }: { partner: PartnerRowFragment; onChange: () => void }) {
  const { id, name, contactEmail, website, status, tier, instances, discountPercent } = partner;
  return (
    <>
      <div>
        <Status of={status} />{' '}
        <Link to="/partners/$id" params={{ id }}>
          {name}
        </Link>{' '}
        {tier && `${tier.name}, ${discountPercent} % off`}
        <p className="quiet">
          {contactEmail} {website} {plural(instances, 'instance')}, commission {partner.commissionPercent} %
        </p>
        <Outlook outlook={partner.outlook} />
      </div>
      <PartnerActions partner={partner} onChange={onChange} />
    </>
  );
}

function Register({ onMade, onRefused }: { onMade: () => void; onRefused: () => void }) {
  return (
    <Card title="Become a partner">
      <ActionForm
        document={RegisterPartnerDocument}
        variables={(form) => ({
          input: {
            name: textOf(form, 'name'),
            contactEmail: textOf(form, 'contactEmail'),
            website: textOf(form, 'website') || null,
          },
        })}
        submit="Register"
        done="You are registered; who runs this panel decides."
        onDone={onMade}
        onRefused={onRefused}
      >
        <PartnerFields />
      </ActionForm>
    </Card>
  );
}
