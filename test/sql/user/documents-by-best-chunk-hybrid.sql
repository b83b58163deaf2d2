begin read only;
set local role funes_app;
select set_config('funes.user', convert_from(decode('64656661756c745f75736572', 'hex'), 'UTF8'), true);
set local hnsw.ef_search = 500;
set local hnsw.iterative_scan = relaxed_order;
set local hnsw.max_scan_tuples = 10000;
set local plan_cache_mode = force_custom_plan;
set local jit = off;
set local max_parallel_workers_per_gather = 0;

select
  query.n::text,
  hit.distance,
  hit.score,
  hit.parts,
  hit.basis,
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
  unnest($1::vector[], $2::text[]) with ordinality as query (vector, text, n)
  cross join lateral (
    select
      best.*,
      id as chunk_id
    from
      (
        with
          own as materialized (
            select
              count(*) as rows,
              avg(length) as length
            from
              (
                select
                  "document_chunks"."content_length" as length
                from
                  "document_chunks"
                where
                  "document_chunks"."user_id" = $3
                limit
                  20000 + 1
              ) own_row
          ),
          share as materialized (
            select
              hashint8 ("document_chunks"."id") as hash,
              "document_chunks"."content_tsv" || ''::tsvector as tsv,
              "document_chunks"."content_length" as length,
              true as passes
            from
              "document_chunks"
            where
              (
                not (
                  select
                    rows <= 20000
                  from
                    own
                )
                and "document_chunks"."user_id" = $4
              )
            order by
              hashint8 ("document_chunks"."id")
            limit
              2000
            offset
              0
          ),
          portion as materialized (
            select
              2 ^ 32 / greatest(max(hash)::float8 + 2 ^ 31, 1) as scale
            from
              share
          ),
          passed as materialized (
            select
              rows,
              length
            from
              own
          ),
          words as materialized (
            select
              word.query,
              word.lexeme,
              counted.*
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
                      unnest(tsvector_to_array(to_tsvector('english', query.text))) lexeme
                    order by
                      length(lexeme) desc,
                      lexeme
                    limit
                      64
                  ) word
              ) word
              cross join lateral (
                select
                  count(*) as counted,
                  count(*) < (
                    case
                      when (
                        select
                          rows <= 20000
                        from
                          own
                      ) then 20000
                      else 1000
                    end
                  ) as complete
                from
                  funes_own_chunks_with_words (
                    word.query,
                    null,
                    (
                      case
                        when (
                          select
                            rows <= 20000
                          from
                            own
                        ) then 20000
                        else 1000
                      end
                    )
                  ) own_word
              ) counted
          ),
          found as materialized (
            select
              *
            from
              (
                select
                  query,
                  lexeme,
                  case
                    when complete then counted
                    else greatest(
                      counted,
                      (
                        select
                          count(*)
                        from
                          share
                        where
                          passes
                          and tsv @@ query
                      ) * (
                        select
                          scale
                        from
                          portion
                      )
                    )
                  end::float8 as documents
                from
                  words
              ) counted_word
            where
              documents > 0
          ),
          corpus as materialized (
            select
              greatest(
                case
                  when (
                    select
                      rows <= 20000
                    from
                      own
                  ) then rows
                  else (
                    select
                      count(*)
                    from
                      share
                    where
                      passes
                  ) * (
                    select
                      scale
                    from
                      portion
                  )
                end,
                (
                  select
                    max(documents)
                  from
                    found
                ),
                1
              )::float8 as documents,
              greatest(
                coalesce(
                  case
                    when (
                      select
                        rows <= 20000
                      from
                        own
                    ) then length
                    else (
                      select
                        avg(length)
                      from
                        share
                      where
                        passes
                    )
                  end,
                  1
                ),
                1
              )::float8 as length
            from
              passed
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
          near as materialized (
            select
              *,
              row_number() over (
                order by
                  distance,
                  id
              ) as rank
            from
              (
                select
                  best.*,
                  chunk_id as id
                from
                  (
                    with
                      best as materialized (
                        select distinct
                          on (document_id) id as chunk_id,
                          document_id,
                          user_id,
                          distance
                        from
                          (
                            with
                              own as materialized (
                                select
                                  count(*) >= least(greatest(1000, (greatest(pg_relation_size('document_chunks'), 1) / 8192 * 4) / 20), 20000) as broad,
                                  (greatest(pg_relation_size('document_chunks'), 1) / 8192 * 4) <= 20000 * 20 as share_known
                                from
                                  (
                                    select
                                    from
                                      "document_chunks"
                                    where
                                      "document_chunks"."user_id" = $5
                                    limit
                                      least(greatest(1000, (greatest(pg_relation_size('document_chunks'), 1) / 8192 * 4) / 20), 20000)
                                  ) own
                              ),
                              breadth as materialized (
                                select
                                  count(*) filter (
                                    where
                                      "document_chunks"."user_id" = $6
                                  ) * 20 * greatest(1, 1.0 * greatest(pg_relation_size('document_chunks'), 1) / (250 * 8192)) >= (greatest(pg_relation_size('document_chunks'), 1) / 8192 * 4) as broad
                                from
                                  "document_chunks" tablesample system (least(100, 100.0 * 250 * 8192 / greatest(pg_relation_size('document_chunks'), 1))) repeatable (0)
                              ),
                              near as materialized (
                                select
                                  "document_chunks"."id",
                                  "document_chunks"."document_id",
                                  "document_chunks"."user_id",
                                  "document_chunks"."embedding" <=> query.vector as distance
                                from
                                  "document_chunks"
                                where
                                  (
                                    (
                                      case
                                        when "document_chunks"."embedding_model" = $7 then 1
                                      end
                                    ) is not null
                                    and (
                                      (
                                        select
                                          broad
                                        from
                                          own
                                      )
                                      and (
                                        (
                                          select
                                            share_known
                                          from
                                            own
                                        )
                                        or (
                                          select
                                            broad
                                          from
                                            breadth
                                        )
                                      )
                                      and "document_chunks"."user_id" = $8
                                    )
                                  )
                                order by
                                  distance,
                                  "document_chunks"."id"
                                limit
                                  $9
                              ),
                              completed as materialized (
                                select
                                  *
                                from
                                  (
                                    select
                                      "document_chunks"."id",
                                      "document_chunks"."document_id",
                                      "document_chunks"."user_id",
                                      "document_chunks"."embedding" <=> query.vector as distance
                                    from
                                      "document_chunks"
                                    where
                                      (
                                        (
                                          case
                                            when "document_chunks"."embedding_model" = $10 then 1
                                          end
                                        ) is not null
                                        and (
                                          not (
                                            select
                                              count(*)
                                            from
                                              near
                                          ) >= $11
                                          and "document_chunks"."user_id" = $12
                                        )
                                      )
                                  ) candidate
                                order by
                                  distance + 0,
                                  id
                                limit
                                  $13
                              ) (
                                select
                                  *
                                from
                                  near
                                where
                                  (
                                    select
                                      count(*)
                                    from
                                      near
                                  ) >= $14
                                order by
                                  distance,
                                  id
                                limit
                                  $15
                              )
                            union all
                            select
                              *
                            from
                              completed
                          ) chunks
                        order by
                          document_id,
                          distance,
                          id
                      ),
                      completed as materialized (
                        select
                          *
                        from
                          (
                            select distinct
                              on (document_id) id as chunk_id,
                              document_id,
                              user_id,
                              "document_chunks"."embedding" <=> query.vector as distance
                            from
                              "document_chunks"
                            where
                              (
                                not (
                                  select
                                    count(*)
                                  from
                                    best
                                ) >= $16
                                and (
                                  case
                                    when "document_chunks"."embedding_model" = $17 then 1
                                  end
                                ) is not null
                                and "document_chunks"."user_id" = $18
                              )
                            order by
                              document_id,
                              distance,
                              id
                          ) every_document
                        order by
                          distance,
                          document_id
                        limit
                          $19
                      ) (
                        select
                          *
                        from
                          best
                        where
                          (
                            select
                              count(*)
                            from
                              best
                          ) >= $20
                        order by
                          distance,
                          document_id
                        limit
                          $21
                      )
                    union all
                    select
                      *
                    from
                      completed
                  ) best
              ) near
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
                "document_chunks"."id" in (
                  select
                    funes_own_chunks_with_words (
                      (
                        select
                          string_agg(query::text, ' | ')::tsquery
                        from
                          terms
                        where
                          chosen
                      ),
                      null,
                      1000
                    )
                )
                and "document_chunks"."user_id" = $22
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
                ) < $23
                and "document_chunks"."id" in (
                  select
                    funes_own_chunks_with_words (
                      (
                        select
                          string_agg(query::text, ' | ')::tsquery
                        from
                          terms
                        where
                          not chosen
                      ) && !! (
                        select
                          string_agg(query::text, ' | ')::tsquery
                        from
                          terms
                        where
                          chosen
                      ),
                      null,
                      1000
                    )
                )
                and "document_chunks"."user_id" = $24
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
              $25
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
                  near
                union all
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
                      when "document_chunks"."embedding_model" = $26 then "document_chunks"."embedding"
                    end
                  ) <=> query.vector as distance,
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
              (
                coalesce((mean - distance) / nullif(spread, 0), 0) + $27::float8 * coalesce((bm25 - word_mean) / nullif(word_spread, 0), 0)
              )::float8 as base
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
          jsonb_build_object('keyword', bm25, 'context', lent, 'recency', null, 'importance', null) as parts,
          case
            when row_number() over (
              order by
                score desc,
                "document_id"
            ) = 1 then jsonb_build_object(
              'at',
              now(),
              'newest',
              jsonb_build_array(
                coalesce(
                  (
                    select
                      max("document_chunks"."id")
                    from
                      "document_chunks"
                    where
                      "document_chunks"."user_id" = $28
                  ),
                  0
                )::text
              ),
              'words',
              jsonb_build_array(
                (
                  select
                    jsonb_build_object(
                      'documents',
                      documents,
                      'length',
                      length,
                      'counts',
                      (
                        select
                          coalesce(
                            jsonb_agg(
                              coalesce(found.documents, 0)
                              order by
                                length(lexeme) desc,
                                lexeme
                            ),
                            '[]'
                          )
                        from
                          words
                          left join found using (lexeme)
                      )
                    )
                  from
                    corpus
                )
              ),
              'moments',
              (
                select
                  jsonb_build_array(mean, spread, word_mean, word_spread)
                from
                  moments
              ),
              'farthest',
              null,
              'relevance',
              '[null, null]'::jsonb
            )
          end as basis
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
          $29
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
where
  1 / (
    select
      (coalesce(embedding_model, $30) = $31)::int
    from
      installation
  ) = 1
order by
  query.n asc,
  hit.score desc,
  "documents"."id" asc -- app;
