import { any, keyed, list, map, object, set, text, whole } from './schema.js';

/** ObjectMeta. */
export const metadata = object({
  annotations: map(text),
  creationTimestamp: text,
  deletionGracePeriodSeconds: whole,
  deletionTimestamp: text,
  finalizers: set(text),
  generateName: text,
  generation: whole,
  labels: map(text),
  managedFields: list(any),
  name: text,
  namespace: text,
  ownerReferences: keyed(['uid'], any),
  resourceVersion: text,
  selfLink: text,
  uid: text,
});
