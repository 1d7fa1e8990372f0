import { useEffect } from 'react';
import { Empty } from '../states';

export default function DecisionsPage() {
  useEffect(() => {
    document.title = 'Decisions · Lineward';
  }, []);
  return (
    <Empty headline="Decisions are told on the command line">
      <p>
        <code>lineward decision show ID</code>, or the <a href="/graphql">GraphQL console</a>.
      </p>
    </Empty>
  );
}
