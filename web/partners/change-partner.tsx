import { UpdatePartnerDocument, type PartnerRowFragment } from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { changedOf } from '../parts/changed.ts';
import { textOf } from '../parts/form.ts';
import { PartnerFields } from './partner-fields.tsx';

interface ChangePartnerProps {
  partner: PartnerRowFragment;
  onChange: () => void;
}

export function ChangePartner({ partner, onChange }: ChangePartnerProps) {
  const { id, name, contactEmail, website } = partner;
  return (
    <Card title="Change it">
      <ActionForm
        document={UpdatePartnerDocument}
        variables={(form) => ({
          id,
          input: changedOf(
            { name, contactEmail, website: website ?? '' },
            {
              name: textOf(form, 'name'),
              contactEmail: textOf(form, 'contactEmail'),
              website: textOf(form, 'website'),
            },
          ),
        })}
        submit="Change it"
        done="The partner is changed."
        onDone={onChange}
      >
        <PartnerFields name={name} contactEmail={contactEmail} website={website} />
      </ActionForm>
    </Card>
  );
}
