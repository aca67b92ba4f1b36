import { getRouteApi } from '@tanstack/react-router';

import { useFollowed } from '../api/use-followed.ts';
import { useRead } from '../api/use-read.ts';
import { PartnerChangedDocument, PartnerDocument, type PartnerRowFragment } from '../generated/graphql.ts';
import { Card } from '../parts/card.tsx';
import { One } from '../parts/one.tsx';
import { Page } from '../parts/page.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { count } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { ChangePartner } from './change-partner.tsx';
import { Commissions } from './commissions.tsx';
import { Outlook } from './outlook.tsx';
import { PartnerActions } from './partner-actions.tsx';
import { Registrant } from './registrant.tsx';
import { TierChanges } from './tier-changes.tsx';

const route = getRouteApi('/partners/$id');

const whys: Record<PartnerRowFragment['status'], string> = {
  PENDING: 'Who runs this panel decides.',
  APPROVED: 'It has the tier of its instances, with the discount, and earns commission.',
  REJECTED: 'It was turned down. Register again at Partners.',
  SUSPENDED: 'It has no tier, no discount and no commission until it is approved again.',
};

/** One partner: where it stands, what it earns, and how it came to its tier. */
export default function PartnerPage() {
  const { id } = route.useParams();
  const { data, told, read } = useRead(PartnerDocument, { variables: { id } });
  useFollowed(PartnerChangedDocument, { partnerId: id }, read);
  return (
    <One what="the partner" row={data?.partner} told={told} retry={read}>
      {(partner) => <Shown key={id} partner={partner} onChange={read} />}
    </One>
  );
}

function Shown({ partner, onChange }: { partner: PartnerRowFragment; onChange: () => void }) {
  const { may } = useViewer();
  const { id, name, contactEmail, website, status, tier, instances, discountPercent } = partner;
  return (
    <Page title={name} actions={<PartnerActions partner={partner} onChange={onChange} />}>
      <p aria-live="polite">
        <Status of={status} /> {whys[status]}
      </p>
      <div className="cards">
        <Card title="Tier">
          <p className="big">{tier?.name ?? 'none yet'}</p>
          <Outlook outlook={partner.outlook} />
          <dl>
            <dt>Instances of its customers and its own</dt>
            <dd>{count(instances)}</dd>
            <dt>Discount of its customers</dt>
            <dd>{discountPercent} %</dd>
            <dt>Commission</dt>
            <dd>{partner.commissionPercent} % of what they pay</dd>
          </dl>
        </Card>
        <Card title="About it">
          <Registrant tenantId={partner.tenantId} />
          <dl>
            <dt>E-mail</dt>
            <dd>{contactEmail}</dd>
            <dt>Website</dt>
            <dd>{website ?? 'none'}</dd>
            <dt>Registered</dt>
            <dd>
              <Time at={partner.createdAt} />
            </dd>
            {partner.approvedAt && (
              <>
                <dt>Approved</dt>
                <dd>
                  <Time at={partner.approvedAt} />
                </dd>
              </>
            )}
          </dl>
        </Card>
        {partner.isOwn && may('billing.partner.manage') && (
          <ChangePartner partner={partner} onChange={onChange} />
        )}
        <TierChanges partnerId={id} />
        {may('billing.commission.read') && <Commissions partnerId={id} />}
      </div>
    </Page>
  );
}
