import { useEffect } from 'react';
import { Empty } from '../states';

export default function CompliancePage() {
  useEffect(() => {
    document.title = 'Compliance · Lineward';
  }, []);
  return (
    <Empty headline="Compliance is told on the command line">
      <p>
        <code>lineward policy list</code>, or the <a href="/graphql">GraphQL console</a>.
      </p>
    </Empty>
  );
}
