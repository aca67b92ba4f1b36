export const plans = [
  { value: 'FREE', text: 'Free' },
  { value: 'PRO', text: 'Pro' },
  { value: 'ENTERPRISE', text: 'Enterprise' },
];
