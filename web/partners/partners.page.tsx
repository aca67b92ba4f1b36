import { useState } from 'react';

import { problemOf } from '../api/problem.ts';
import { usePages } from '../api/use-pages.ts';
import { useRead } from '../api/use-read.ts';
import {
  ApprovePartnerDocument,
  PartnersDocument,
  PartnerTiersDocument,
  RegisterPartnerDocument,
  RejectPartnerDocument,
  SuspendPartnerDocument,
  UpdatePartnerDocument,
  type PartnersQuery,
} from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Action } from '../parts/action.tsx';
import { Card } from '../parts/card.tsx';
import { Field } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
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

interface PartnerLineProps {
  partner: Partner;
  onChange: () => void;
}

function PartnerLine({ partner, onChange }: PartnerLineProps) {
  const { may } = useViewer();
  const [isEdited, setEdited] = useState(false);
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
      {may('billing.partner.decide') ? (
        <Decision partner={partner} onChange={onChange} />
      ) : (
        may('billing.partner.manage') && (
          <button type="button" aria-label={`Edit ${name}`} onClick={() => setEdited(true)}>
            Edit
          </button>
        )
      )}
      {isEdited && (
        <FormDialog
          title={`Partner: ${name}`}
          document={UpdatePartnerDocument}
          variables={(form) => ({ id, input: partnerOf(form) })}
          submit="Save"
          done={`${name} is changed.`}
          onClose={() => setEdited(false)}
          onDone={onChange}
        >
          <PartnerFields partner={partner} />
        </FormDialog>
      )}
    </>
  );
}

/** What a platform administrator decides. */
function Decision({ partner: { id, name, status }, onChange }: PartnerLineProps) {
  return (
    <div className="actions">
      {(status === 'PENDING' || status === 'SUSPENDED') && (
        <Action
          document={ApprovePartnerDocument}
          variables={{ input: { id } }}
          text="Approve"
          label={`Approve ${name}`}
          done={`${name} is approved.`}
          onDone={onChange}
          isMain
        />
      )}
      {status === 'PENDING' && (
        <Action
          document={RejectPartnerDocument}
          variables={{ id }}
          text="Reject"
          label={`Reject ${name}`}
          confirm="They may register again."
          done={`${name} is rejected.`}
          onDone={onChange}
        />
      )}
      {status === 'APPROVED' && (
        <Action
          document={SuspendPartnerDocument}
          variables={{ id }}
          text="Suspend"
          label={`Suspend ${name}`}
          confirm="Its tier and its commission end at once, and the discount of its customers within a minute."
          done={`${name} is suspended.`}
          onDone={onChange}
        />
      )}
    </div>
  );
}

/** How a partner presents itself. */
function PartnerFields({ partner }: { partner?: Partner }) {
  return (
    <>
      <Field label="Name of the partner" name="name" required maxLength={200} defaultValue={partner?.name} />
      <Field
        label="E-mail to write to"
        name="contactEmail"
        type="email"
        required
        defaultValue={partner?.contactEmail}
      />
      <Field
        label="Website"
        name="website"
        type="url"
        defaultValue={partner?.website ?? undefined}
        hint="May be left empty."
      />
    </>
  );
}

function partnerOf(form: FormData) {
  return {
    name: textOf(form, 'name'),
    contactEmail: textOf(form, 'contactEmail'),
    website: textOf(form, 'website') || null,
  };
}

function Register({ onMade }: { onMade: () => void }) {
  return (
    <Card title="Become a partner">
      <ActionForm
        document={RegisterPartnerDocument}
        variables={(form) => ({ input: partnerOf(form) })}
        submit="Register"
        done="You are registered; who runs this panel decides."
        onDone={onMade}
      >
        <PartnerFields />
      </ActionForm>
    </Card>
  );
}
