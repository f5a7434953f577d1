/* Drop: what does not fit is counted, and the manager goes on. The employee comes to work late here, so that one can see it. After
 * Kennedy, Ardan Labs' gotraining. */
#include "line.h"

#include "../../lib/drop.h"

int main(void)
{
	struct chan *papers = must(chan_new(sizeof(struct line), 5));
	struct drop drop = { 0 };
	struct line paper;

	for (int work = 0; work < 12; work++) {
		paper = line_of("paper %d", work);
		if (drop_send(&drop, papers, &paper))
			printf("manager : sent signal : %d\n", work);
		else
			printf("manager : dropped data : %d\n", work);
	}
	chan_close(papers);
	printf("manager : sent shutdown signal\n");
	while (chan_recv(papers, &paper, NULL, FOREVER) == CHAN_OK)
		printf("employee : recv'd signal : %s\n", paper.text);
	printf("employee : recv'd shutdown signal\n");
	printf("%llu dropped\n", (unsigned long long)drop_count(&drop));
	chan_unref(papers);
	return 0;
}
