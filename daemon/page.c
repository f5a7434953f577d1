#include "page.h"

#include "buf.h"
#include "conn_impl.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct page {
	struct buf document;
	struct buf headers;             /* its own; each ended by CR LF */
};

__asm__(".section .rodata\n"
	"leat_page_html:\n"
	".incbin \"daemon/status/page.html\"\n"
	"leat_page_html_end:\n"
	"leat_page_css:\n"
	".incbin \"daemon/status/page.css\"\n"
	"leat_page_css_end:\n"
	"leat_page_js:\n"
	".incbin \"daemon/status/page.js\"\n"
	"leat_page_js_end:\n"
	".byte 0\n"
	".previous\n");

extern const char leat_page_html[], leat_page_html_end[], leat_page_css[], leat_page_css_end[], leat_page_js[], leat_page_js_end[];

static struct slice between(const char *at, const char *end)
{
	return (struct slice){ at, (size_t)(end - at) };
}

/* All of `html` up to the end tag, and there what belongs into the element. */
static void add_up_to(struct buf *to, struct slice *html, struct slice end_tag, struct slice content)
{
	const char *tag = memmem(html->at, html->len, end_tag.at, end_tag.len);

	if (!tag)
		return;
	buf_add_slice(to, between(html->at, tag));
	buf_add_slice(to, content);
	*html = between(tag, html->at + html->len);
}

/* As Content-Security-Policy wants it: the digest of what stands in the element, in base64. */
static void add_hash(struct buf *to, const char *directive, struct slice content)
{
	unsigned char digest[EVP_MAX_MD_SIZE], text[2 * EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (EVP_Digest(content.at, content.len, digest, &len, EVP_sha256(), NULL) != 1)
		to->failed = true;
	EVP_EncodeBlock(text, digest, (int)len);
	buf_addf(to, "; %s 'sha256-%s'", directive, (const char *)text);
}

static void add_headers(struct buf *to, struct slice css, struct slice js)
{
	buf_add_slice(to, SLICE("Content-Security-Policy: default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
				"frame-ancestors 'none'"));
	add_hash(to, "style-src", css);
	add_hash(to, "script-src", js);
	buf_add_slice(to, SLICE("\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nReferrer-Policy: no-referrer\r\n"
				"Cross-Origin-Opener-Policy: same-origin\r\nCross-Origin-Resource-Policy: same-origin\r\nCache-Control: no-cache\r\n"));
}

struct page *page_new(void)
{
	struct slice html = between(leat_page_html, leat_page_html_end), css = between(leat_page_css, leat_page_css_end),
		     js = between(leat_page_js, leat_page_js_end);
	struct page *page = calloc(1, sizeof(*page));

	if (!page)
		return NULL;
	add_up_to(&page->document, &html, SLICE("</style>"), css);
	add_up_to(&page->document, &html, SLICE("</script>"), js);
	buf_add_slice(&page->document, html);
	add_headers(&page->headers, css, js);
	if (!page->document.failed && !page->headers.failed)
		return page;
	page_free(page);
	return NULL;
}

void page_free(struct page *page)
{
	if (!page)
		return;
	buf_free(&page->document);
	buf_free(&page->headers);
	free(page);
}

/* Strangers that ask for it and do not fetch it shall not have what is left of the memory. */
static void refuse(struct exchange *ex)
{
	struct answer a = answer_make(CODE_BUSY, "no memory left for the page");

	answer_fact_text(&a, "reason", SLICE("memory"));
	answer_fact(&a, "retry_ms", 1000);
	exchange_answer(ex, &a);
}

void page_answer(struct exchange *ex, const struct page *page)
{
	struct purse *purse = &ex->conn->loop->purse;

	if (!purse_spend(purse, page->document.len)) {
		refuse(ex);
		return;
	}
	/* It is paid for with the buffer that it goes into. */
	purse_return(purse, page->document.len);
	reply_document(exchange_begin(ex), &ex->wire, SLICE("text/html; charset=utf-8"), buf_slice(&page->headers), buf_slice(&page->document));
	exchange_end(ex);
}
