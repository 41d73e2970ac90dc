// A page of the service that has to wait: asks again by itself, not at the same moment as everybody else.

setTimeout(() => location.reload(), 1000 + 1000 * Math.random());
