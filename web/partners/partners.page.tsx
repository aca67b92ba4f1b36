import { problemOf } from '../api/problem.ts';
import { usePages } from '../api/use-pages.ts';
import { useRead } from '../api/use-read.ts';
import {
  ApprovePartnerDocument,
  PartnersDocument,
  PartnerTiersDocument,
  RegisterPartnerDocument,
  RejectPartnerDocument,
  type PartnersQuery,
} from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Action } from '../parts/action.tsx';
import { Card } from '../parts/card.tsx';
import { Field } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { Status } from '../parts/status.tsx';
import { plural } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { Commissions } from './commissions.tsx';

type Partner = PartnersQuery['partners']['nodes'][number];

/** The partner programme: where the organization stands in it, what it earns, and what comes next. */
export default function PartnersPage() {
  const { may } = useViewer();
  const { rows, error, hasMore, more, reload } = usePages(PartnersDocument, {}, ({ partners }) => partners);
  const tiers = useRead(PartnerTiersDocument);
  const isOpen = rows?.every(({ status }) => status === 'REJECTED') && may('billing.partner.manage');
  return (
    <Page title="Partners">
      <div className="cards">
        <Listing
          title="Registrations"
          rows={rows}
          told={error && problemOf(error)}
          retry={reload}
          more={hasMore ? more : undefined}
          empty="You are no partner yet. Register below; who runs this panel then decides."
          keyOf={({ id }) => id}
          render={(partner) => <PartnerLine partner={partner} onChange={reload} />}
        />
        {isOpen && <Register onMade={reload} />}
        {may('billing.commission.read') &&
          rows
            ?.filter(({ status }) => status === 'APPROVED')
            .map(({ id, name }) => <Commissions key={id} partnerId={id} name={name} />)}
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

function PartnerLine({ partner, onChange }: { partner: Partner; onChange: () => void }) {
  const { may } = useViewer();
  const { id, name, contactEmail, website, status, tier, instances, discountPercent, outlook } = partner;
  return (
    <>
      <div>
        <Status of={status} /> <strong>{name}</strong> {tier && `${tier.name}, ${discountPercent} % off`}
        <p className="quiet">
          {contactEmail} {website} {plural(instances, 'instance')}, commission {partner.commissionPercent} %
        </p>
        {outlook.nextTier && outlook.instancesMissing !== null && (
          <p>
            {plural(outlook.instancesMissing, 'instance')} more for {outlook.nextTier.name} (
            {outlook.nextTier.discountPercent} % off).
          </p>
        )}
        {outlook.lowerTier && outlook.instancesToSpare !== null && (
          <p>
            {plural(outlook.instancesToSpare, 'instance')} to spare before {outlook.lowerTier.name}.
          </p>
        )}
      </div>
      {status === 'PENDING' && may('billing.partner.decide') && (
        <div className="actions">
          <Action
            document={ApprovePartnerDocument}
            variables={{ input: { id } }}
            text="Approve"
            label={`Approve ${name}`}
            done={`${name} is approved.`}
            onDone={onChange}
            isMain
          />
          <Action
            document={RejectPartnerDocument}
            variables={{ id }}
            text="Reject"
            label={`Reject ${name}`}
            confirm="They may register again."
            done={`${name} is rejected.`}
            onDone={onChange}
          />
        </div>
      )}
    </>
  );
}

function Register({ onMade }: { onMade: () => void }) {
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
      >
        <Field label="Name of the partner" name="name" required maxLength={200} />
        <Field label="E-mail to write to" name="contactEmail" type="email" required />
        <Field label="Website" name="website" type="url" hint="May be left empty." />
      </ActionForm>
    </Card>
  );
}
