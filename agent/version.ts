/** The Cloud OS release this agent belongs to, reported unless the node says otherwise. */
export const cloudOsVersion = '0.2.9';
