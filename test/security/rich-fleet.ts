import { dataOf } from '../support/answers.js';
import { enroll, type Scene } from './scene.js';

async function ask<Data>(
  { tenant }: Scene,
  query: string,
  variables: Record<string, unknown>,
): Promise<Data> {
  return dataOf(await tenant.graphql<Data>(query, variables));
}

/** A channel that was tried once, and a silence. */
export async function notifications(scene: Scene): Promise<void> {
  const { word } = scene;
  const { createEmailChannel } = await ask<{ createEmailChannel: { id: string } }>(
    scene,
    'mutation($input: CreateEmailChannelInput!) { createEmailChannel(input: $input) { id } }',
    { input: { name: `${word} channel`, recipients: [`${word}-ops@example.com`] } },
  );
  await ask(scene, 'mutation($id: ID!) { sendTestNotification(channelId: $id) { id } }', createEmailChannel);
  await silence(scene);
}

/** A silence that keeps nothing from any channel. */
export async function silence(scene: Scene): Promise<void> {
  const { word, panel } = scene;
  await ask(scene, 'mutation($input: CreateSilenceInput!) { createSilence(input: $input) { id } }', {
    input: {
      matchers: [{ field: 'INSTANCE_NAME', operator: 'EQUALS', value: `${word}-silenced` }],
      endsAt: new Date(panel.clock.now().getTime() + 3_600_000).toISOString(),
      comment: `${word} comment`,
    },
  });
}

/** A node that was, with its credential. */
export async function formerNode(scene: Scene): Promise<void> {
  const { id } = await enroll(scene.panel, scene.word, scene.enrollmentToken);
  await ask(scene, 'mutation($id: ID!) { decommissionInstance(id: $id) { __typename } }', { id });
}

/** A group with the node in it, a time next month in which it is left alone, and a limit of its own. */
export async function groups(scene: Scene): Promise<void> {
  const { word, node, panel } = scene;
  const { createInstanceGroup } = await ask<{ createInstanceGroup: { id: string } }>(
    scene,
    'mutation($input: CreateInstanceGroupInput!) { createInstanceGroup(input: $input) { id } }',
    { input: { name: `${word} group`, kind: 'STATIC', instanceIds: [node.id] } },
  );
  await ask(
    scene,
    'mutation($input: CreateMaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { id } }',
    {
      input: {
        name: `${word} window`,
        effect: 'DENY',
        groupId: createInstanceGroup.id,
        startsAt: new Date(panel.clock.now().getTime() + 30 * 86_400_000).toISOString(),
        durationMinutes: 60,
      },
    },
  );
  await ask(
    scene,
    'mutation($input: OverrideAlertRuleInput!) { overrideAlertRule(input: $input) { priority } }',
    { input: { kind: 'DISK', groupId: createInstanceGroup.id, threshold: 95 } },
  );
}
