import { registerEnumType } from 'type-graphql';

export enum RegistrationState {
  OPEN = 'OPEN',
  CLOSED = 'CLOSED',
}

registerEnumType(RegistrationState, {
  name: 'RegistrationState',
  description: 'Whether anybody may make an organization of their own, by `register`.',
  valuesConfig: {
    OPEN: { description: 'Anybody may.' },
    CLOSED: { description: 'Nobody may; people come by invitation.' },
  },
});
