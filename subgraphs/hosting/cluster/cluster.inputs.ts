import { Field, InputType } from 'type-graphql';
import { z } from 'zod';

import { ClusterStatus } from './cluster.status.js';
import { mostKubeconfigBytes } from './kubeconfig/parse.js';

const kubeconfigText =
  'A kubeconfig, as YAML or JSON; its current context counts. With a client certificate or a token in it: nothing in it is ' +
  'run, and no file is read. The key of a certificate is RSA of at most 4096 bits, EC of P-256, P-384 or P-521, or Ed25519. ' +
  'It is kept sealed and never answered.';
const tagsText = 'At most 20 words of at most 50 characters.';

@InputType({ description: 'A cluster to work with.' })
export class RegisterClusterInput {
  @Field(() => String, { description: '1 to 100 characters, unique in the tenant without case.' })
  name!: string;

  @Field(() => String, { description: 'Whose it is: a word of yours, at most 50 characters.' })
  provider!: string;

  @Field(() => String, { description: 'Where it is: a word of yours, at most 50 characters.' })
  region!: string;

  @Field(() => String, { description: kubeconfigText })
  kubeconfig!: string;

  @Field(() => [String], { nullable: true, description: tagsText })
  tags?: string[] | null;
}

@InputType({ description: 'What changes of a cluster; what is left out stays.' })
export class UpdateClusterInput {
  @Field(() => String, {
    nullable: true,
    description: '1 to 100 characters, unique in the tenant without case.',
  })
  name?: string | null;

  @Field(() => String, { nullable: true, description: 'Whose it is, at most 50 characters.' })
  provider?: string | null;

  @Field(() => String, { nullable: true, description: 'Where it is, at most 50 characters.' })
  region?: string | null;

  @Field(() => String, {
    nullable: true,
    description: `A new credential for the same cluster. ${kubeconfigText}`,
  })
  kubeconfig?: string | null;

  @Field(() => [String], { nullable: true, description: `All of them. ${tagsText}` })
  tags?: string[] | null;
}

const word = (what: string, most: number) =>
  z.string().trim().min(1, `${what} is required`).max(most, `${what} must have at most ${most} characters`);
const kubeconfig = z
  .string()
  .min(1, 'Kubeconfig is required')
  .max(mostKubeconfigBytes, `Kubeconfig must have at most ${mostKubeconfigBytes} characters`);
const tags = z.array(word('Tag', 50)).max(20, 'At most 20 tags');

export const registerClusterRules = z.object({
  name: word('Name', 100),
  provider: word('Provider', 50),
  region: word('Region', 50),
  kubeconfig,
  tags: tags.nullish(),
});

export const updateClusterRules = z.object({
  name: word('Name', 100).nullish(),
  provider: word('Provider', 50).nullish(),
  region: word('Region', 50).nullish(),
  kubeconfig: kubeconfig.nullish(),
  tags: tags.nullish(),
});

@InputType({ description: 'Narrows a list of clusters; what is left out does not narrow.' })
export class ClusterFilter {
  @Field(() => ClusterStatus, { nullable: true, description: 'Only clusters in this status.' })
  status?: ClusterStatus | null;

  @Field(() => String, { nullable: true, description: 'Only those in this region.' })
  region?: string | null;

  @Field(() => String, { nullable: true, description: 'Only those with this tag.' })
  tag?: string | null;
}
