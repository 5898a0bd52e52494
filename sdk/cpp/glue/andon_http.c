/* andon_http.c: requests by wasi:http.
 *
 * The host counts what is open: each thing is given back, what stands on another one before that.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "andon_call.h"
#include "andon_sink.h"
#include "andon_sink_call.h"

/* Bytes that one write of a body may have, and that are asked for in one read. */
#define WRITE_BYTES_MAX 4096
#define READ_BYTES 65536

typedef wasi_http_types_own_outgoing_request_t outgoing_request;
typedef wasi_http_types_own_outgoing_body_t outgoing_body;

static abi_string_t lent(const char *text, size_t size) {
    return (abi_string_t){(uint8_t *)text, size};
}

/* What no answer means: a request that surely did not leave is tried again, one that may have is
 * unknown, and one that the settings do not allow is a matter of the account. */
static bool refused(wasi_http_types_error_code_t *code) {
    int tag = code->tag;
    wasi_http_types_error_code_free(code);
    andon_sink_sent(false);
    switch (tag) {
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_REQUEST_DENIED:
        return andon_undelivered(ANDON_ACCOUNT, "the request is not allowed: its host is not among "
                                                "those of the settings");
    case WASI_HTTP_TYPES_ERROR_CODE_CONFIGURATION_ERROR:
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_REQUEST_BODY_SIZE:
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_REQUEST_METHOD_INVALID:
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_REQUEST_URI_INVALID:
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_REQUEST_URI_TOO_LONG:
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_REQUEST_HEADER_SECTION_SIZE:
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_REQUEST_HEADER_SIZE:
    case WASI_HTTP_TYPES_ERROR_CODE_DESTINATION_IP_PROHIBITED:
        return andon_undelivered(ANDON_ACCOUNT, "the request is not allowed: code %d", tag);
    case WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_REFUSED:
    case WASI_HTTP_TYPES_ERROR_CODE_DNS_TIMEOUT:
    case WASI_HTTP_TYPES_ERROR_CODE_DNS_ERROR:
    case WASI_HTTP_TYPES_ERROR_CODE_DESTINATION_NOT_FOUND:
    case WASI_HTTP_TYPES_ERROR_CODE_DESTINATION_UNAVAILABLE:
    case WASI_HTTP_TYPES_ERROR_CODE_DESTINATION_IP_UNROUTABLE:
    case WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_LIMIT_REACHED:
    case WASI_HTTP_TYPES_ERROR_CODE_TLS_CERTIFICATE_ERROR:
        return andon_undelivered(ANDON_RETRY, "no connection: code %d", tag);
    }
    andon_sink_sent(true);
    return andon_undelivered(ANDON_UNKNOWN, "no answer: code %d", tag);
}

static wasi_http_types_method_t method_of(const char *name) {
    static const char *const known[] = {"GET", "HEAD", "POST", "PUT", "DELETE"};
    for (uint8_t tag = 0; tag < sizeof known / sizeof *known; tag++)
        if (strcmp(name, known[tag]) == 0) return (wasi_http_types_method_t){.tag = tag};
    wasi_http_types_method_t method = {.tag = WASI_HTTP_TYPES_METHOD_OTHER};
    method.val.other = lent(name, strlen(name));
    return method;
}

static wasi_http_types_scheme_t scheme_of(const char *name, size_t size) {
    if (size == 4 && strncasecmp(name, "http", 4) == 0)
        return (wasi_http_types_scheme_t){.tag = WASI_HTTP_TYPES_SCHEME_HTTP};
    if (size == 5 && strncasecmp(name, "https", 5) == 0)
        return (wasi_http_types_scheme_t){.tag = WASI_HTTP_TYPES_SCHEME_HTTPS};
    wasi_http_types_scheme_t scheme = {.tag = WASI_HTTP_TYPES_SCHEME_OTHER};
    scheme.val.other = lent(name, size);
    return scheme;
}

/* Names the server and the path. */
static bool address(wasi_http_types_borrow_outgoing_request_t request, const char *url) {
    const char *host = strstr(url, "://");
    if (host == NULL) return false;
    wasi_http_types_scheme_t scheme = scheme_of(url, (size_t)(host - url));
    host += 3;
    size_t host_size = strcspn(host, "/?#");
    const char *rest = host + host_size;
    size_t rest_size = strcspn(rest, "#");
    /* A path begins with a slash, also where the address goes on with a query. */
    char *path = andon_call_resize(NULL, rest_size + 2, 1);
    bool rooted = *rest == '/';
    path[0] = '/';
    memcpy(path + !rooted, rest, rest_size);
    abi_string_t authority = lent(host, host_size), whole = lent(path, rest_size + !rooted);
    bool fine = host_size > 0 &&
                wasi_http_types_method_outgoing_request_set_scheme(request, &scheme) &&
                wasi_http_types_method_outgoing_request_set_authority(request, &authority) &&
                wasi_http_types_method_outgoing_request_set_path_with_query(request, &whole);
    free(path);
    return fine;
}

static bool fields_of(const andon_header *headers, size_t count, wasi_http_types_own_fields_t *fields) {
    wasi_http_types_list_tuple2_field_key_field_value_t list = {NULL, count};
    list.ptr = andon_call_resize(NULL, count + 1, sizeof *list.ptr);
    for (size_t i = 0; i < count; i++) {
        list.ptr[i].f0 = lent(headers[i].name, strlen(headers[i].name));
        list.ptr[i].f1.ptr = (uint8_t *)headers[i].value;
        list.ptr[i].f1.len = strlen(headers[i].value);
    }
    wasi_http_types_header_error_t error;
    bool fine = wasi_http_types_static_fields_from_list(&list, fields, &error);
    free(list.ptr);
    return fine;
}

/* Makes a request with a place for its body. */
static bool prepare(const char *method, const char *url, const andon_header *headers, size_t count,
                    outgoing_request *request, outgoing_body *body) {
    wasi_http_types_own_fields_t fields;
    if (!fields_of(headers, count, &fields))
        return andon_undelivered(ANDON_ACCOUNT, "a header cannot be sent");
    *request = wasi_http_types_constructor_outgoing_request(fields);
    wasi_http_types_borrow_outgoing_request_t lent_request =
        wasi_http_types_borrow_outgoing_request(*request);
    wasi_http_types_method_t tag = method_of(method);
    if (wasi_http_types_method_outgoing_request_set_method(lent_request, &tag) &&
        address(lent_request, url) &&
        wasi_http_types_method_outgoing_request_body(lent_request, body))
        return true;
    wasi_http_types_outgoing_request_drop_own(*request);
    return andon_undelivered(ANDON_ACCOUNT, "`%s` is no address like https://example.net/path", url);
}

/* Why a body could not be written is what the answer tells. */
static void write_body(outgoing_body body, const uint8_t *bytes, size_t size) {
    wasi_io_streams_own_output_stream_t stream;
    wasi_io_streams_stream_error_t ended;
    bool fine = wasi_http_types_method_outgoing_body_write(wasi_http_types_borrow_outgoing_body(body),
                                                           &stream);
    if (fine) {
        for (size_t at = 0; fine && at < size; at += WRITE_BYTES_MAX) {
            size_t left = size - at;
            abi_list_u8_t piece = {(uint8_t *)bytes + at,
                                   left < WRITE_BYTES_MAX ? left : WRITE_BYTES_MAX};
            fine = wasi_io_streams_method_output_stream_blocking_write_and_flush(
                wasi_io_streams_borrow_output_stream(stream), &piece, &ended);
            if (!fine) wasi_io_streams_stream_error_free(&ended);
        }
        wasi_io_streams_output_stream_drop_own(stream);
    }
    wasi_http_types_error_code_t code;
    if (!fine)
        wasi_http_types_outgoing_body_drop_own(body);
    else if (!wasi_http_types_static_outgoing_body_finish(body, NULL, &code))
        wasi_http_types_error_code_free(&code);
}

static void read_headers(wasi_http_types_borrow_incoming_response_t response, andon_answer *answer) {
    wasi_http_types_own_headers_t fields = wasi_http_types_method_incoming_response_headers(response);
    wasi_http_types_list_tuple2_field_key_field_value_t list;
    wasi_http_types_method_fields_entries(wasi_http_types_borrow_fields(fields), &list);
    wasi_http_types_fields_drop_own(fields);
    answer->headers = andon_call_resize(NULL, list.len + 1, sizeof *answer->headers);
    for (size_t i = 0; i < list.len; i++) {
        char *name = andon_sink_utf8((char *)list.ptr[i].f0.ptr, list.ptr[i].f0.len);
        for (char *sign = name; *sign != 0; sign++) *sign = (char)tolower((unsigned char)*sign);
        answer->headers[i].name = name;
        answer->headers[i].value = andon_sink_utf8((char *)list.ptr[i].f1.ptr, list.ptr[i].f1.len);
    }
    answer->header_count = list.len;
    wasi_http_types_list_tuple2_field_key_field_value_free(&list);
}

/* Reads to the end; the host bounds an answer. */
static bool read_stream(wasi_io_streams_borrow_input_stream_t stream, andon_answer *answer) {
    abi_list_u8_t piece;
    wasi_io_streams_stream_error_t ended;
    while (wasi_io_streams_method_input_stream_blocking_read(stream, READ_BYTES, &piece, &ended)) {
        answer->body = andon_call_resize(answer->body, answer->size + piece.len + 1, 1);
        if (piece.len > 0) memcpy(answer->body + answer->size, piece.ptr, piece.len);
        answer->size += piece.len;
        abi_list_u8_free(&piece);
    }
    bool whole = ended.tag == WASI_IO_STREAMS_STREAM_ERROR_CLOSED;
    wasi_io_streams_stream_error_free(&ended);
    return whole;
}

static bool read_body(wasi_http_types_borrow_incoming_response_t response, andon_answer *answer) {
    wasi_http_types_own_incoming_body_t body;
    wasi_http_types_own_input_stream_t stream;
    if (!wasi_http_types_method_incoming_response_consume(response, &body)) return false;
    bool whole =
        wasi_http_types_method_incoming_body_stream(wasi_http_types_borrow_incoming_body(body), &stream);
    if (whole) {
        whole = read_stream(wasi_io_streams_borrow_input_stream(stream), answer);
        wasi_io_streams_input_stream_drop_own(stream);
    }
    wasi_http_types_incoming_body_drop_own(body);
    return whole;
}

static bool read_answer(wasi_http_types_own_incoming_response_t response, andon_answer *answer) {
    wasi_http_types_borrow_incoming_response_t lent_response =
        wasi_http_types_borrow_incoming_response(response);
    memset(answer, 0, sizeof *answer);
    answer->body = andon_call_resize(NULL, 1, 1);
    answer->status = wasi_http_types_method_incoming_response_status(lent_response);
    read_headers(lent_response, answer);
    bool whole = read_body(lent_response, answer);
    answer->body[answer->size] = 0;
    wasi_http_types_incoming_response_drop_own(response);
    if (whole) return true;
    andon_answer_free(answer);
    return andon_undelivered(ANDON_UNKNOWN, "no answer: it broke off");
}

bool andon_send(const char *method, const char *url, const andon_header *headers, size_t header_count,
                const void *body, size_t size, andon_answer *answer) {
    outgoing_request request;
    outgoing_body place;
    if (!prepare(method, url, headers, header_count, &request, &place)) return false;
    wasi_http_types_own_future_incoming_response_t future;
    wasi_http_types_error_code_t code;
    /* From here on the request may be on its way. */
    andon_sink_sent(true);
    if (!wasi_http_outgoing_handler_handle(request, NULL, &future, &code)) {
        wasi_http_types_outgoing_body_drop_own(place);
        return refused(&code);
    }
    write_body(place, body, size);
    wasi_http_types_borrow_future_incoming_response_t lent_future =
        wasi_http_types_borrow_future_incoming_response(future);
    wasi_http_types_own_pollable_t pollable =
        wasi_http_types_method_future_incoming_response_subscribe(lent_future);
    wasi_io_poll_method_pollable_block(wasi_io_poll_borrow_pollable(pollable));
    wasi_io_poll_pollable_drop_own(pollable);
    wasi_http_types_result_result_own_incoming_response_error_code_void_t result;
    bool there = wasi_http_types_method_future_incoming_response_get(lent_future, &result);
    bool fine = false;
    if (!there || result.is_err)
        andon_undelivered(ANDON_UNKNOWN, "no answer: the host gave none");
    else if (result.val.ok.is_err)
        refused(&result.val.ok.val.err);
    else
        fine = read_answer(result.val.ok.val.ok, answer);
    wasi_http_types_future_incoming_response_drop_own(future);
    return fine;
}

bool andon_post_json(const char *url, const char *json, andon_answer *answer) {
    static const andon_header header = {"content-type", "application/json"};
    return andon_send("POST", url, &header, 1, json, strlen(json), answer);
}

void andon_answer_free(andon_answer *answer) {
    for (size_t i = 0; i < answer->header_count; i++) {
        free((void *)answer->headers[i].name);
        free((void *)answer->headers[i].value);
    }
    free(answer->headers);
    free(answer->body);
    memset(answer, 0, sizeof *answer);
}

bool andon_answer_ok(const andon_answer *answer) {
    return answer->status >= 200 && answer->status < 300;
}

const char *andon_answer_header(const andon_answer *answer, const char *name) {
    for (size_t i = 0; i < answer->header_count; i++)
        if (strcasecmp(answer->headers[i].name, name) == 0) return answer->headers[i].value;
    return NULL;
}

char *andon_answer_says(const andon_answer *answer, size_t characters_max) {
    const char *from = answer->body, *end = answer->body + answer->size;
    while (from < end && isspace((unsigned char)*from)) from++;
    while (from < end && isspace((unsigned char)end[-1])) end--;
    char *text = andon_sink_utf8(from, (size_t)(end - from)), *cut = text;
    for (size_t i = 0; i < characters_max && *cut != 0; i++) cut += andon_sink_sign(cut, strlen(cut));
    *cut = 0;
    return text;
}
