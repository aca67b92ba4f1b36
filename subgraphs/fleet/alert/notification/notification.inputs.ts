import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { z } from 'zod';

import { AlertSeverity } from '../alert.kinds.js';
import { NotificationChannel } from './notification-channel.entity.js';
import { DeliveryStatus } from './notification.kinds.js';

@InputType()
abstract class ChannelInput {
  @Field(() => String, { description: 'The name shown to people; 1 to 200 characters.' })
  name!: string;

  @Field(() => AlertSeverity, {
    nullable: true,
    description: 'It is told of alerts of this severity and above; INFO unless told.',
  })
  minimumSeverity?: AlertSeverity | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether it is also told when alerts are over; it is unless told.',
  })
  tellsResolved?: boolean | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether it is also told of canaries that wait or were taken back; it is unless told.',
  })
  tellsCanaries?: boolean | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether it is also told of repositories of GitOps that are degraded; it is unless told.',
  })
  tellsGitOps?: boolean | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Minutes after which it is told again of an alert that still fires: 0 for never, or 5 to 10080; 240 unless told.',
  })
  repeatIntervalMinutes?: number | null;
}

@InputType({ description: 'A new webhook.' })
export class CreateWebhookChannelInput extends ChannelInput {
  @Field(() => String, {
    description:
      'Where it is sent: an http or https URL on the public internet, at most 2000 characters. Redirects are not followed.',
  })
  url!: string;
}

@InputType({ description: 'A new list of e-mail addresses.' })
export class CreateEmailChannelInput extends ChannelInput {
  @Field(() => [String], {
    description:
      'Who it is sent to; 1 to 10 addresses. Each is mailed a link to confirm it by, and nothing else before it has.',
  })
  recipients!: string[];
}

@InputType({ description: 'New settings of a channel; what is left out stays as it is.' })
export class UpdateNotificationChannelInput {
  @Field(() => ID, { description: 'The channel.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'The name shown to people; 1 to 200 characters.' })
  name?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Where a webhook is sent; at most 2000 characters. Only for webhooks.',
  })
  url?: string | null;

  @Field(() => [String], {
    nullable: true,
    description: 'Who e-mail is sent to; 1 to 10 addresses. New ones have to confirm it. Only for e-mail.',
  })
  recipients?: string[] | null;

  @Field(() => AlertSeverity, {
    nullable: true,
    description: 'It is told of alerts of this severity and above.',
  })
  minimumSeverity?: AlertSeverity | null;

  @Field(() => Boolean, { nullable: true, description: 'Whether it is also told when alerts are over.' })
  tellsResolved?: boolean | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether it is also told of canaries that wait or were taken back.',
  })
  tellsCanaries?: boolean | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether it is also told of repositories of GitOps that are degraded.',
  })
  tellsGitOps?: boolean | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Minutes after which it is told again of an alert that still fires: 0 for never, or 5 to 10080.',
  })
  repeatIntervalMinutes?: number | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether it is told of anything. What is on its way to it is given up once it is off.',
  })
  isEnabled?: boolean | null;
}

@InputType({ description: 'The link that asked an address whether it wants alerts.' })
export class ConfirmNotificationAddressInput {
  @Field(() => String, { description: 'The token of the link that was mailed; works once, for three days.' })
  token!: string;
}

@InputType({ description: 'A webhook whose secret is to be changed.' })
export class RotateWebhookSecretInput {
  @Field(() => ID, { description: 'The channel.' })
  id!: string;

  @Field(() => Int, {
    nullable: true,
    description:
      'Hours for which messages are signed with the old secret as well, 0 to 168; 24 unless told. None that is older ' +
      'counts for longer.',
  })
  keepPreviousHours?: number | null;
}

@ObjectType({ description: 'A webhook and its secret, which is in this answer and nowhere else.' })
export class WebhookSecretPayload {
  @Field(() => NotificationChannel, { description: 'The channel.' })
  channel!: NotificationChannel;

  @Field(() => String, { description: 'What messages are signed with, starting with `whsec_`. Shown once.' })
  secret!: string;
}

@InputType({ description: 'Narrows a list of deliveries; what is left out does not narrow.' })
export class NotificationDeliveryFilter {
  @Field(() => ID, { nullable: true, description: 'Only deliveries to this channel.' })
  channelId?: string | null;

  @Field(() => DeliveryStatus, { nullable: true, description: 'Only deliveries of which this became.' })
  status?: DeliveryStatus | null;
}

/** Of one e-mail channel. */
export const maxRecipients = 10;

const name = z.string().trim().min(1, 'Name is required').max(200, 'Name must have at most 200 characters');
const url = z.string().max(2_000, 'URL must have at most 2000 characters');
const recipients = z
  .array(z.email('Must be an e-mail address').max(254, 'An e-mail address has at most 254 characters'))
  .min(1, 'At least one address is required')
  .max(maxRecipients, `At most ${maxRecipients} addresses`);
const common = {
  name,
  minimumSeverity: z.enum(AlertSeverity).nullish(),
  tellsResolved: z.boolean().nullish(),
  tellsCanaries: z.boolean().nullish(),
  tellsGitOps: z.boolean().nullish(),
  repeatIntervalMinutes: z
    .number()
    .refine(
      (minutes) => minutes === 0 || (minutes >= 5 && minutes <= 10_080),
      'Repeat interval must be 0, or from 5 to 10080 minutes',
    )
    .nullish(),
};

export const createWebhookChannelRules = z.object({ ...common, url });
export const createEmailChannelRules = z.object({ ...common, recipients });
export const updateNotificationChannelRules = z.object({
  ...common,
  id: z.string(),
  name: name.nullish(),
  url: url.nullish(),
  recipients: recipients.nullish(),
  isEnabled: z.boolean().nullish(),
});
export const rotateWebhookSecretRules = z.object({
  id: z.string(),
  keepPreviousHours: z
    .number()
    .min(0, 'Keep previous hours must be from 0 to 168')
    .max(168, 'Keep previous hours must be from 0 to 168')
    .nullish(),
});
