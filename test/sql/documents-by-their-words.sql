begin read only;
set local role funes_admin;
set local hnsw.ef_search = 500;
set local hnsw.iterative_scan = relaxed_order;
set local hnsw.max_scan_tuples = 10000;
set local plan_cache_mode = force_custom_plan;
set local jit = off;
set local max_parallel_workers_per_gather = 0;

select
  source.document_id::text,
  hit.distance,
  hit.score,
  hit.parts,
  "documents"."id",
  "documents"."user_id",
  "documents"."filename",
  "documents"."file_path",
  "documents"."file_type",
  "documents"."file_size",
  "documents"."content_hash",
  "documents"."total_chunks",
  "documents"."created_at",
  "documents"."processed_at",
  "documents"."updated_at",
  "documents"."metadata",
  "document_chunks"."id",
  "document_chunks"."user_id",
  "document_chunks"."document_id",
  "document_chunks"."chunk_index",
  "document_chunks"."total_chunks",
  "document_chunks"."content",
  "document_chunks"."content_summary",
  "document_chunks"."embedding_model",
  "document_chunks"."embedding_source",
  "document_chunks"."embedding_error",
  "document_chunks"."chunk_size",
  "document_chunks"."overlap_size",
  "document_chunks"."start_offset",
  "document_chunks"."end_offset",
  "document_chunks"."metadata",
  "document_chunks"."created_at",
  case
    when "document_chunks"."embedding_error" is not null then 'FAILED'
    when "document_chunks"."embedding" is null then 'PENDING'
    when (
      "document_chunks"."embedding_source" = 'FUNES'
      and "document_chunks"."embedding_model" <> (
        select
          coalesce(generation.next_embedding_model, generation.embedding_model)
        from
          "installation" as generation
        where
          generation.only
      )
    ) then 'STALE'
    else 'READY'
  end
from
  (
    select distinct
      on (document_id) document_id,
      null::varchar as embedding_model,
      avg(embedding) as vector,
      left(
        string_agg(
          content,
          ' '
          order by
            chunk_index
        ),
        200000
      ) as text
    from
      "document_chunks"
    where
      "document_chunks"."document_id" in ($1)
    group by
      document_id,
      null::varchar
    order by
      document_id,
      null::varchar = (
        select
          embedding_model
        from
          installation
      ) desc nulls last,
      count(*) desc,
      null::varchar
  ) as source
  cross join lateral (
    select
      best.*,
      id as chunk_id
    from
      (
        with
          sample as materialized (
            select
              "document_chunks"."content_tsv" as tsv,
              "document_chunks"."content_length" as length
            from
              "document_chunks" tablesample system (least(100, 100.0 * 250 * 8192 / greatest(pg_relation_size('document_chunks'), 1))) repeatable (0)
            where
              "document_chunks"."document_id" <> source.document_id
          ),
          words as materialized (
            select
              word.query,
              word.lexeme,
              (
                select
                  count(*)
                from
                  (
                    select
                    from
                      "document_chunks"
                    where
                      (
                        "document_chunks"."content_tsv" @@ word.query
                        and "document_chunks"."document_id" <> source.document_id
                      )
                    limit
                      1000
                  ) counted
              ) as counted
            from
              (
                select
                  lexeme,
                  ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery as query
                from
                  (
                    select
                      lexeme
                    from
                      unnest(tsvector_to_array(to_tsvector('english', source.text))) lexeme
                    order by
                      length(lexeme) desc,
                      lexeme
                    limit
                      64
                  ) word
              ) word
          ),
          found as materialized (
            select
              query,
              lexeme,
              case
                when counted < 1000 then counted
                else greatest(
                  counted,
                  (
                    select
                      count(*)
                    from
                      sample
                    where
                      tsv @@ query
                  ) * greatest(1, 1.0 * greatest(pg_relation_size('document_chunks'), 1) / (250 * 8192))
                )
              end::float8 as documents
            from
              words
            where
              counted > 0
          ),
          corpus as materialized (
            select
              greatest(
                count(*) * greatest(1, 1.0 * greatest(pg_relation_size('document_chunks'), 1) / (250 * 8192)),
                (
                  select
                    max(documents)
                  from
                    found
                ),
                1
              )::float8 as documents,
              greatest(coalesce(avg(length), 1), 1)::float8 as length
            from
              sample
          ),
          terms as materialized (
            select
              found.query,
              ln(1 + (total.documents - rarity.documents + 0.5) / (rarity.documents + 0.5)) as idf,
              sum(found.documents) over rarest <= 1000
              or row_number() over rarest = 1 as chosen
            from
              found
              join found rarity using (lexeme),
              corpus total
            window
              rarest as (
                order by
                  found.documents,
                  lexeme rows unbounded preceding
              )
          ),
          rare as materialized (
            select
              "document_chunks"."id",
              "document_chunks"."document_id",
              "document_chunks"."user_id",
              "document_chunks"."content_tsv" || ''::tsvector as tsv,
              "document_chunks"."content_length" as length
            from
              "document_chunks"
            where
              (
                "document_chunks"."content_tsv" @@ (
                  select
                    string_agg(query::text, ' | ')::tsquery
                  from
                    terms
                  where
                    chosen
                )
                and "document_chunks"."document_id" <> source.document_id
              )
            limit
              1000
            offset
              0
          ),
          common as materialized (
            select
              "document_chunks"."id",
              "document_chunks"."document_id",
              "document_chunks"."user_id",
              "document_chunks"."content_tsv" || ''::tsvector as tsv,
              "document_chunks"."content_length" as length
            from
              "document_chunks"
            where
              (
                (
                  select
                    count(distinct "document_id")
                  from
                    rare
                ) < $2
                and (
                  "document_chunks"."content_tsv" @@ (
                    select
                      string_agg(query::text, ' | ')::tsquery
                    from
                      terms
                    where
                      not chosen
                  )
                  and not "document_chunks"."content_tsv" @@ (
                    select
                      string_agg(query::text, ' | ')::tsquery
                    from
                      terms
                    where
                      chosen
                  )
                )
                and "document_chunks"."document_id" <> source.document_id
              )
            limit
              1000
            offset
              0
          ),
          scored_words as materialized (
            select
              "id",
              "document_id",
              "user_id",
              (
                select
                  coalesce(
                    sum(
                      idf * tf * (1.2::float8 + 1) / (tf + 1.2::float8 * (1 - 0.75::float8 + 0.75::float8 * matching.length / corpus.length))
                    ),
                    0
                  )
                from
                  corpus,
                  (
                    select
                      idf,
                      width_bucket(
                        ts_rank('{1,1,1,1}', matching.tsv, query)::float8,
                        array[
                          0.6079171,
                          0.7598989,
                          0.8274463,
                          0.8654418,
                          0.8897589,
                          0.9066457,
                          0.9190524,
                          0.9285513,
                          0.9360565,
                          0.9421358,
                          0.9471600,
                          0.9513817,
                          0.9549789,
                          0.9580806,
                          0.9607825,
                          0.9631572,
                          0.9652608,
                          0.9671371,
                          0.9688211,
                          0.9703409,
                          0.9717194,
                          0.9729755,
                          0.9741247,
                          0.9751801,
                          0.9761528,
                          0.9770521,
                          0.9778860,
                          0.9786614,
                          0.9793843,
                          0.9800597,
                          0.9806923,
                          0.9812860
                        ]::float8[]
                      ) as tf
                    from
                      terms
                    where
                      matching.tsv @@ query
                  ) term
              )::float8 as bm25
            from
              (
                select
                  *
                from
                  rare
                union all
                select
                  *
                from
                  common
              ) matching
          ),
          worded as materialized (
            select
              *,
              row_number() over (
                order by
                  bm25 desc,
                  id
              ) as rank
            from
              (
                select distinct
                  on ("document_id") *
                from
                  scored_words
                order by
                  "document_id",
                  bm25 desc,
                  id
              ) best_words
            where
              bm25 > 0
            order by
              bm25 desc,
              id
            limit
              $3
          ),
          candidates as materialized (
            select
              "id",
              "document_id",
              "user_id",
              min(round) as round
            from
              (
                select
                  "id",
                  "document_id",
                  "user_id",
                  0::bigint as round
                from
                  worded
              ) found
            group by
              "id",
              "document_id",
              "user_id"
          ),
          pool as materialized (
            select
              "id",
              "document_id",
              "user_id",
              true as candidate,
              round
            from
              candidates
          ),
          features as materialized (
            select
              pool.*,
              row.*,
              (
                select
                  coalesce(
                    sum(
                      idf * tf * (1.2::float8 + 1) / (tf + 1.2::float8 * (1 - 0.75::float8 + 0.75::float8 * row.length / corpus.length))
                    ),
                    0
                  )
                from
                  corpus,
                  (
                    select
                      idf,
                      width_bucket(
                        ts_rank('{1,1,1,1}', row.tsv, query)::float8,
                        array[
                          0.6079171,
                          0.7598989,
                          0.8274463,
                          0.8654418,
                          0.8897589,
                          0.9066457,
                          0.9190524,
                          0.9285513,
                          0.9360565,
                          0.9421358,
                          0.9471600,
                          0.9513817,
                          0.9549789,
                          0.9580806,
                          0.9607825,
                          0.9631572,
                          0.9652608,
                          0.9671371,
                          0.9688211,
                          0.9703409,
                          0.9717194,
                          0.9729755,
                          0.9741247,
                          0.9751801,
                          0.9761528,
                          0.9770521,
                          0.9778860,
                          0.9786614,
                          0.9793843,
                          0.9800597,
                          0.9806923,
                          0.9812860
                        ]::float8[]
                      ) as tf
                    from
                      terms
                    where
                      row.tsv @@ query
                  ) term
              )::float8 as bm25
            from
              pool
              cross join lateral (
                select
                  (
                    case
                      when "document_chunks"."embedding_model" = source.embedding_model then "document_chunks"."embedding"
                    end
                  ) <=> source.vector as distance,
                  "document_chunks"."content_tsv" || ''::tsvector as tsv,
                  "document_chunks"."content_length" as length
                from
                  "document_chunks"
                where
                  (
                    "document_chunks"."id" = pool."id"
                    and "document_chunks"."document_id" = pool."document_id"
                    and "document_chunks"."user_id" = pool."user_id"
                  )
                limit
                  1
              ) row
          ),
          moments as materialized (
            select
              avg(
                distance
                order by
                  "id",
                  "document_id",
                  "user_id"
              ) as mean,
              stddev_pop(
                distance
                order by
                  "id",
                  "document_id",
                  "user_id"
              ) as spread,
              avg(
                bm25
                order by
                  "id",
                  "document_id",
                  "user_id"
              ) as word_mean,
              stddev_pop(
                bm25
                order by
                  "id",
                  "document_id",
                  "user_id"
              ) as word_spread
            from
              features
            where
              candidate
          ),
          based as materialized (
            select
              features.*,
              bm25 as base
            from
              features
              cross join moments
          ),
          relevant as materialized (
            select
              based.*,
              null::float8 as lent
            from
              based
          ),
          scored as materialized (
            select
              *,
              (base + coalesce(lent, 0)) as score
            from
              relevant
            where
              true
          )
        select
          "id",
          "document_id",
          "user_id",
          coalesce(distance, 2) as distance,
          score,
          jsonb_build_object('keyword', bm25, 'context', lent, 'recency', null, 'importance', null) as parts
        from
          (
            select distinct
              on ("document_id") *
            from
              scored
            order by
              "document_id",
              round,
              score desc,
              id
          ) best
        order by
          score desc,
          "document_id"
        limit
          $4
      ) best
  ) as hit
  inner join "document_chunks" on (
    "document_chunks"."id" = hit.chunk_id
    and "document_chunks"."user_id" = hit.user_id
  )
  inner join "documents" on (
    "documents"."id" = hit.document_id
    and "documents"."user_id" = hit.user_id
  )
order by
  source.document_id asc,
  hit.score desc,
  "documents"."id" asc;
