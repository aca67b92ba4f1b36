import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

test('patterns of policies in force are refused where they come to too much for each instance together', async () => {
  const tenant = await panel.world.tenant();
  const pattern = { condition: 'os.name', operator: 'matches', value: '(ab){300}' };
  const rule = { operator: 'any', value: [pattern, pattern] };
  const made = async (name: string, more: object = {}) =>
    tenant.graphql<{ createPolicy: { id: string } }>(
      'mutation ($input: CreatePolicyInput!) { createPolicy(input: $input) { id } }',
      { input: { name, rule, ...more } },
    );
  const change = async (id: string, input: object) =>
    tenant.graphql(
      'mutation ($id: ID!, $input: UpdatePolicyInput!) { updatePolicy(id: $id, input: $input) { id } }',
      {
        id,
        input,
      },
    );
  const tooMuch = {
    code: 'VALIDATION_FAILED',
    details: {
      'input.rule':
        'The patterns of all policies in force are too large together: make them fewer or shorter',
    },
  };
  const [first] = [dataOf(await made('A')), dataOf(await made('B'))];
  expect(refusal(await made('C'))).toEqual(tooMuch);
  const { id } = dataOf(await made('C', { enforcement: 'DISABLED' })).createPolicy;
  expect(refusal(await change(id, { enforcement: 'ADVISORY' }))).toEqual(tooMuch);
  dataOf(await change(first.createPolicy.id, { name: 'Smaller', rule: pattern }));
  dataOf(await change(id, { enforcement: 'ADVISORY' }));
  expect(refusal(await change(first.createPolicy.id, { rule }))).toEqual(tooMuch);
});
