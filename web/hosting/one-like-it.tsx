import { useNavigate } from '@tanstack/react-router';

import { ProvisionServerDocument, type ServerDetailFragment } from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { textOf } from '../parts/form.ts';
import { useOnceKeys } from '../parts/once-key.ts';
import { useViewer } from '../session/viewer.tsx';
import { Forecast } from './forecast.tsx';
import { ServerName } from './server-name.tsx';

/** The order once more, under a name of its own as long as the server keeps its own. */
export function OneLikeIt({ server }: { server: ServerDetailFragment }) {
  const { may } = useViewer();
  const withCosts = may('hosting.cost.read');
  const navigate = useNavigate();
  const once = useOnceKeys();
  const { name, provider, region, size, tags, installCloudOs, isProtected, status } = server;
  return (
    <Card title="Order it again">
      <p>
        The same size in the same region, with the same tags, without SSH keys.{' '}
        {status === 'FAILED' && `The name ${name} is free once it is removed.`}
      </p>
      <ActionForm
        document={ProvisionServerDocument}
        variables={(form) => ({
          input: once.keyed({
            name: textOf(form, 'name'),
            provider,
            region,
            size,
            tags,
            installCloudOs,
            isProtected,
          }),
          withCosts,
        })}
        submit="Order it again"
        done="The server is ordered."
        onDone={({ provisionServer: { id } }) => {
          once.done();
          void navigate({ to: '/servers/$id', params: { id } });
        }}
      >
        <ServerName defaultValue={status === 'DELETED' ? name : undefined} />
        {withCosts && <Forecast {...{ provider, region, size }} />}
      </ActionForm>
    </Card>
  );
}
